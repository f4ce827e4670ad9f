# SPDX-License-Identifier: GPL-3.0-or-later
"""The one catalogue of what an operator reads in an incident, in English and Ukrainian. Private to aurora.runbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LANGUAGES = ("en", "uk")

CATALOGUE = {
    # Verdicts
    "healthy": ("healthy: nothing to do", "здоровий: нічого робити"),
    "recovered": ("RECOVERED", "ВІДНОВЛЕНО"),
    "not_recovered": ("NOT RECOVERED", "НЕ ВІДНОВЛЕНО"),
    "unknown": ("UNKNOWN, which is not OK", "НЕВІДОМО, а це не «добре»"),
    "approval_needed": ("WAITS FOR APPROVAL", "ЧЕКАЄ СХВАЛЕННЯ"),
    "escalated": ("ESCALATED", "ЕСКАЛЬОВАНО"),
    "refused": ("REFUSED, nothing was changed", "ВІДМОВЛЕНО, нічого не змінено"),
    "would_change": ("would change (check mode)", "змінилося б (пробний запуск)"),
    # Why a recovery verdict is what it is
    "within": (
        "{metric} is {value}, within its limit of {limit} for {hold} s with {count} events",
        "{metric} = {value}, у межі {limit} протягом {hold} с, подій: {count}",
    ),
    "reopened": (
        "the breaker opened again after the action",
        "circuit breaker знову відкрився після дії",
    ),
    "still_breached": (
        "{metric} is {value}, still beyond its limit of {limit}",
        "{metric} = {value}, досі за межею {limit}",
    ),
    "silent": ("the metrics endpoint does not answer", "метрики не відповідають"),
    "malformed": (
        "the metrics page is not Prometheus text, or {metric} stands there malformed or twice",
        "сторінка метрик не у форматі Prometheus, або {metric} на ній пошкоджено чи подано двічі",
    ),
    "no_data": ("{metric} is missing from the metrics", "{metric} немає в метриках"),
    "nan": ("{metric} is NaN", "{metric} = NaN"),
    "reset": (
        "the service restarted while it was watched: its counters tell no story",
        "сервіс перезапустився під час спостереження: його лічильники нічого не доводять",
    ),
    "too_few": (
        "only {count} of {needed} events since the action",
        "лише {count} з {needed} подій після дії",
    ),
    "too_short": (
        "within its limit, but not yet for {hold} s",
        "у межі, але ще не протягом {hold} с",
    ),
    # Actions
    "set": ("{unit}: {changes} ({direction} exposure)", "{unit}: {changes} ({direction})"),
    "would_set": ("{unit}: would set {changes} ({direction} exposure)", "{unit}: змінилося б {changes} ({direction})"),
    "would_restore": ("{unit}: would give back {changes}", "{unit}: повернулося б {changes}"),
    "unchanged": ("{unit}: {changes} stands already, no restart", "{unit}: {changes} вже діє, без перезапуску"),
    "kept": (
        "{unit}: {name} stays at {before}; {after} would raise exposure",
        "{unit}: {name} лишається {before}; {after} збільшило б ризик",
    ),
    "taken_back": ("{unit}: taken back, it did not help: {changes}", "{unit}: скасовано, бо не допомогло: {changes}"),
    "restored": ("{unit}: given back: {changes}", "{unit}: повернуто: {changes}"),
    "nothing_leased": ("{unit}: nothing is overridden", "{unit}: нічого не змінено раніше"),
    "needs_approval": (
        "{unit}: {changes} raises exposure and waits for a person: -e aurora_approve={knobs}",
        "{unit}: {changes} збільшує ризик і чекає на людину: -e aurora_approve={knobs}",
    ),
    "needs_approval@awx": (
        "{unit}: {changes} raises exposure and waits for the approval of a person: {knobs}",
        "{unit}: {changes} збільшує ризик і чекає на схвалення людини: {knobs}",
    ),
    "restarted": (
        "{unit}: restarted ({problem}), healthy after {seconds} s",
        "{unit}: перезапущено ({problem}), здоровий за {seconds} с",
    ),
    "started": (
        "{unit}: started (it was {state}), healthy after {seconds} s",
        "{unit}: запущено (було {state}), здоровий за {seconds} с",
    ),
    "came_up": (
        "{unit}: not touched, it was being started already; healthy after {seconds} s",
        "{unit}: не чіпали, його вже запускали; здоровий за {seconds} с",
    ),
    "restart_because": ("{unit}: would restart ({problem})", "{unit}: перезапустили б ({problem})"),
    "start_because": ("{unit}: would start (it is {state})", "{unit}: запустили б (зараз {state})"),
    "systemd_at_it": (
        "{unit} is {state}: systemd is starting it already",
        "{unit}: {state}, systemd уже запускає його",
    ),
    "runs_already": ("{unit} runs already, nothing was done", "{unit} уже працює, нічого не робили"),
    "restarted_lately": (
        "{unit} came up {seconds} s ago and is healthy: not restarted again",
        "{unit} запущено {seconds} с тому, він здоровий: ще раз не перезапускали",
    ),
    "killed": (
        "{unit} did not stop within {seconds} s of SIGTERM and was killed",
        "{unit} не зупинився за {seconds} с після SIGTERM, його вбито",
    ),
    "clients_back": (
        "{after} of {before} SSE clients reconnected",
        "знову підключилися SSE-клієнти: {after} з {before}",
    ),
    "clients_now": (
        "{after} SSE clients are connected; how many there were before is not known, the feed did not answer",
        "підключено SSE-клієнтів: {after}; скільки було раніше, невідомо: feed не відповідав",
    ),
    "clients_again": (
        "{after} SSE clients are connected, there were none",
        "підключено SSE-клієнтів: {after}; не було жодного",
    ),
    "clients_unknown": (
        "SSE clients before: {before}; how many reconnected is not known, the feed does not answer",
        "SSE-клієнтів було: {before}; скільки підключилося знову, невідомо: feed не відповідає",
    ),
    "clients_dropped": (
        "{before} SSE clients would be dropped once",
        "було б один раз від'єднано SSE-клієнтів: {before}",
    ),
    # Why a restart is refused
    "refused_not_loaded": (
        "{unit} is {load} on this host; expected a loaded unit: look at `systemctl status {unit}`",
        "{unit}: {load} на цьому хості, а мав би бути loaded: дивіться `systemctl status {unit}`",
    ),
    "refused_state": (
        "{unit} is {state}, which this version does not know: look at `systemctl status {unit}`",
        "{unit}: {state}, цього стану ця версія не знає: дивіться `systemctl status {unit}`",
    ),
    "refused_transient": (
        "{unit} is transient: restart what made it",
        "{unit} тимчасовий (transient): перезапустіть те, що його створило",
    ),
    "refused_reload": (
        "{unit} was edited without daemon-reload, so a restart would not run what its files say: look at `systemctl cat"
        " {unit}`, then run `systemctl daemon-reload` yourself",
        "{unit} змінено без daemon-reload, тож перезапуск не виконав би того, що кажуть файли: перегляньте `systemctl"
        " cat {unit}`, потім самі виконайте `systemctl daemon-reload`",
    ),
    "refused_trader": (
        "{unit} trades: its open breaker lives in memory and a bare restart would close it; restart it with a smaller"
        " KELLY_MULTIPLIER (service_override)",
        "{unit} торгує: його відкритий circuit breaker живе в пам'яті, і простий перезапуск закрив би його;"
        " перезапускайте з меншим KELLY_MULTIPLIER (service_override)",
    ),
    "refused_breaker": (
        "{unit}: not changed: its breaker is open or only trying ({state}), lives in memory, and the restart would"
        " close it; lower KELLY_MULTIPLIER with it or before",
        "{unit}: не змінено: його circuit breaker ({state}) відкритий або лише пробує, живе в пам'яті, і перезапуск"
        " закрив би його; зменште KELLY_MULTIPLIER разом із цим або раніше",
    ),
    "breaker_not_read": (
        "{unit}: {url} does not say whether its breaker is open; one that was would be closed by the restart",
        "{unit}: {url} не каже, чи відкритий circuit breaker; відкритий закрився б від перезапуску",
    ),
    "breaker_would_close": (
        "{unit}: its breaker ({state}) is open or only trying and lives in memory: giving back restarts the service and"
        " closes it",
        "{unit}: його circuit breaker ({state}) відкритий або лише пробує і живе в пам'яті: повернення перезапускає"
        " сервіс і закриває його",
    ),
    # What stands after a change that failed
    "stands_now": ("{unit} is {state} now, with {values}", "{unit} зараз {state}, з {values}"),
    "stands_unread": (
        "{unit}: what runs now could not be read: {problem}",
        "{unit}: що працює зараз, прочитати не вдалося: {problem}",
    ),
    "breaker_now": (
        "{unit}: circuit_breaker_state is {state} now (0 CLOSED, 1 HALF_OPEN, 2 OPEN), before the change it was {was}",
        "{unit}: circuit_breaker_state зараз {state} (0 CLOSED, 1 HALF_OPEN, 2 OPEN), до зміни було {was}",
    ),
    "breaker_now_unread": (
        "{unit}: the state of its breaker could not be read now, before the change circuit_breaker_state was {was}",
        "{unit}: стан circuit breaker зараз прочитати не вдалося, до зміни circuit_breaker_state було {was}",
    ),
    "breaker_was_open": (
        "{unit}: ATTENTION, its breaker was not closed before ({was}), and the restart closed it",
        "{unit}: УВАГА, його circuit breaker до цього не був закритий ({was}), і перезапуск закрив його",
    ),
    "raise_stays_open": (
        "{unit}: {changes} did not help and stays for now: its breaker is open or only trying ({state}), and taking it"
        " back would restart the service and close it; the host takes it back by itself once the breaker is closed",
        "{unit}: {changes} не допомогло, але поки лишається: circuit breaker відкритий або лише пробує ({state}), а"
        " скасування перезапустило б сервіс і закрило його; хост скасує це сам, щойно circuit breaker закриється",
    ),
    "refused_not_up": (
        "{unit}: it was being started already, and it did not come up: {problem}. It says: {words}",
        "{unit}: його вже запускали, але він не піднявся: {problem}. Він каже: {words}",
    ),
    "refused_config": (
        "{unit}: its configuration is broken, so it is not restarted: {message}",
        "{unit}: конфігурація зламана, тому не перезапускаємо: {message}",
    ),
    # Why automation holds back
    "held": (
        "another run works here: {by}, on {incident}, since {since}; nothing was changed",
        "тут уже працює інший запуск: {by}, інцидент {incident}, від {since}; нічого не змінено",
    ),
    "paused": (
        "automation is paused on this host until {until} ({text}); nothing was changed",
        "автоматику на цьому хості призупинено до {until} ({text}); нічого не змінено",
    ),
    "paused_open": (
        "automation is paused on this host until somebody removes /var/lib/aurora-runbook/pause ({text}); nothing was"
        " changed",
        "автоматику на цьому хості призупинено, поки хтось не видалить /var/lib/aurora-runbook/pause ({text}); нічого"
        " не змінено",
    ),
    "guard_cooldown": (
        "guard cooldown: {action} was done to {target} {ago} s ago, and again only after {limit} s: in {minutes} min,"
        " or at once with -e aurora_force=REASON",
        "запобіжник cooldown: {action} для {target} вже було {ago} с тому, знову лише через {limit} с: за {minutes} хв"
        " або одразу з -e aurora_force=ПРИЧИНА",
    ),
    "guard_per_hour": (
        "guard per_hour: {count} actions on this host within an hour, allowed are {limit}: again in {minutes} min, or"
        " at once with -e aurora_force=REASON",
        "запобіжник per_hour: дій на цьому хості за годину: {count}, дозволено {limit}: знову за {minutes} хв або"
        " одразу з -e aurora_force=ПРИЧИНА",
    ),
    "guard_per_day": (
        "guard per_day: {count} actions on this host within a day, allowed are {limit}: again in {minutes} min, or at"
        " once with -e aurora_force=REASON",
        "запобіжник per_day: дій на цьому хості за добу: {count}, дозволено {limit}: знову за {minutes} хв або одразу"
        " з -e aurora_force=ПРИЧИНА",
    ),
    "guard_ineffective": (
        "guard ineffective: the last {count} actions of this incident did not help here, allowed are {limit}: a person"
        " has to look; then -e aurora_force=REASON",
        "запобіжник ineffective: останні {count} дій цього інциденту тут не допомогли, дозволено {limit}: має глянути"
        " людина; потім -e aurora_force=ПРИЧИНА",
    ),
    "guard_same_cure": (
        "guard same_cure: {action} was done to {target} {count} times within a day for {cause} ({times}), allowed are"
        " {limit}: it does not last, a person has to look; then -e aurora_force=REASON",
        "запобіжник same_cure: {action} для {target} за добу вже робили {count} р. через {cause} ({times}), дозволено"
        " {limit}: це не тримається, має глянути людина; потім -e aurora_force=ПРИЧИНА",
    ),
    "guard_min_healthy": (
        "guard min_healthy: {target} is not restarted while {healthy} other hosts of its group are healthy, needed are"
        " {needed} (aurora_min_healthy); when more are, or with -e aurora_force=REASON",
        "запобіжник min_healthy: {target} не перезапускається, поки здорових хостів у групі, крім цього: {healthy}, а"
        " треба {needed} (aurora_min_healthy); коли їх стане більше або з -e aurora_force=ПРИЧИНА",
    ),
    "guard_crash_loop": (
        "guard crash_loop: {target} ended by itself {count} times in {window} min, allowed are {limit}; one more"
        " restart does not help: again in {minutes} min, or at once with -e aurora_force=REASON. It says: {words}",
        "запобіжник crash_loop: {target} сам завершився {count} р. за {window} хв, дозволено {limit}; ще один"
        " перезапуск не допоможе: знову за {minutes} хв або одразу з -e aurora_force=ПРИЧИНА. Він каже: {words}",
    ),
    "guard_restart_interval": (
        "guard restart_interval: {target} was restarted by us {ago} s ago and is not well ({problem}); restarting it"
        " again would drop clients again, and is done only after {limit} s: in {minutes} min, or at once with -e"
        " aurora_force=REASON",
        "запобіжник restart_interval: {target} ми перезапустили {ago} с тому, і з ним не все гаразд ({problem}); ще"
        " один перезапуск знову від'єднав би клієнтів і можливий лише через {limit} с: за {minutes} хв або одразу з -e"
        " aurora_force=ПРИЧИНА",
    ),
    "tried": ("{action} of {target}, {changes}: {ended}", "{action} для {target}, {changes}: {ended}"),
    "no_result": ("no result yet", "результату ще немає"),
    "tried_in_vain": (
        "{action} of {target}, {changes}: {ended}: {problem}",
        "{action} для {target}, {changes}: {ended}: {problem}",
    ),
    # A tick of the clock of escalation
    "nothing_open": ("no incident is open", "відкритих інцидентів немає"),
    "on_hosts": ("  on {hosts}", "  на {hosts}"),
    "paged_before": ("  paged: {levels}", "  сповіщено: {levels}"),
    "paged_now": ("  paged now, {page}: {who}", "  сповіщено зараз, {page}: {who}"),
    "not_paged": ("  NOT reached: {channel}: {problem}", "  НЕ досягнуто: {channel}: {problem}"),
    "not_read": (
        "{host}: its record cannot be read, an incident may be open there: {problem}",
        "{host}: записи не прочитано, там може бути відкритий інцидент: {problem}",
    ),
    "page_unread_title": ("L1 {host}: its record cannot be read", "L1 {host}: записи не прочитано"),
    "page_unread_why": (
        "an incident that is open there alone would be paged to nobody",
        "про інцидент, відкритий лише там, нікого не буде сповіщено",
    ),
    "page_unread_next": (
        "see whether the host is up and answers: ansible-playbook aurora.runbook.triage --limit {host}",
        "перевірити, чи хост працює і відповідає: ansible-playbook aurora.runbook.triage --limit {host}",
    ),
    # Why an incident is over
    "closed_by_run": ("its indicator is within its limit again", "показник знову в межі"),
    "closed_by_hand": ("closed by {who}: {text}", "закрито, {who}: {text}"),
    # What became of an action that was cut off
    "left_finished": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}): it is finished",
        "попередній запуск ({by}, {at}) обірвався під час {action} для {target} ({changes}): це завершено",
    ),
    "left_undone": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}): it is undone",
        "попередній запуск ({by}, {at}) обірвався під час {action} для {target} ({changes}): це скасовано",
    ),
    "left_open": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}), which is still to be judged:"
        " run aurora.runbook.{action} again",
        "попередній запуск ({by}, {at}) обірвався під час {action} для {target} ({changes}), це ще не оцінено:"
        " запустіть aurora.runbook.{action} знову",
    ),
    "left_unknown": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}): how far it came is not known",
        "попередній запуск ({by}, {at}) обірвався під час {action} для {target} ({changes}): як далеко він дійшов,"
        " невідомо",
    ),
    # Recalibration
    "would_refit": (
        "{model}: would be refitted to the trades of {days:g} days",
        "{model}: модель перекалібрувалася б на угодах за {days:g} днів",
    ),
    "would_judge": (
        "{model}: an earlier recalibration was cut off; its model is to be judged",
        "{model}: попереднє перекалібрування обірвалося; його модель треба оцінити",
    ),
    "refit": (
        "{model}: refitted ({way}): ECE {before} → {after}",
        "{model}: перекалібровано ({way}): ECE {before} → {after}",
    ),
    "refit_no_change": (
        "{model}: a refit ({way}) was done without an error, and the file is as it was",
        "{model}: перекалібрування ({way}) пройшло без помилки, а файл не змінився",
    ),
    "refit_judged": (
        "{model}: what an earlier recalibration left, which was cut off, was judged: ECE {before} → {after}",
        "{model}: оцінено те, що лишило обірване перекалібрування: ECE {before} → {after}",
    ),
    "refit_tried": (
        "this model was refitted to the trades of {days:g} days {age} h ago and did not get better",
        "цю модель перекалібровано на угодах за {days:g} днів {age} год тому, і кращою вона не стала",
    ),
    "model_fresh": (
        "{model}: refitted {age} h ago and within its limit, left as it is",
        "{model}: перекалібровано {age} год тому, у межі, не чіпали",
    ),
    "model_worse": (
        "{model}: the new one is worse, the one before is back",
        "{model}: нова гірша, попередню повернуто",
    ),
    "model_worse_stays": (
        "{model}: the new one is worse, and the one before cannot be put back: {problem}",
        "{model}: нова гірша, а попередню не вдалося повернути: {problem}",
    ),
    "model_valid": ("calibration.validate(): {says}", "calibration.validate(): {says}"),
    "model_invalid": ("calibration.validate() fails: {says}", "calibration.validate() не проходить: {says}"),
    "limit_kept": (
        "{unit}: {name} stays at {before}; {after} would be less",
        "{unit}: {name} лишається {before}; {after} було б менше",
    ),
    "tcp_set": ("TCP: {changes}", "TCP: {changes}"),
    "tcp_would_set": ("TCP: would set {changes}", "TCP: змінилося б {changes}"),
    "tcp_stands": (
        "TCP: every setting that has effect on this host stands already",
        "TCP: усі параметри, що діють на цьому хості, вже встановлено",
    ),
    "tcp_restored": ("TCP: given back: {changes}", "TCP: повернуто: {changes}"),
    "tcp_would_restore": ("TCP: would give back {changes}", "TCP: повернулося б {changes}"),
    "tcp_ended": ("TCP: nothing of the tuning is left to give back", "TCP: від налаштування вже нічого не лишилося"),
    "tcp_nothing": ("TCP: nothing is tuned", "TCP: нічого не змінено раніше"),
    "sysctl_dead": ("{name} does nothing since Linux {since}", "{name} не діє від Linux {since}"),
    "sysctl_absent": (
        "{name} does not exist in this kernel or network namespace",
        "{name} немає в цьому ядрі чи мережевому просторі імен",
    ),
    "sysctl_edited": (
        "{name} is {now}, which somebody set since: it is left alone",
        "{name} = {now}, це хтось змінив пізніше: лишаємо як є",
    ),
    # Ends of leases
    "lease_ends": ("{unit}: {changes} ends by itself at {until}", "{unit}: {changes} закінчиться саме о {until}"),
    "lease_would_end": (
        "{unit}: {changes} would end by itself at {until}",
        "{unit}: {changes} закінчилося б саме о {until}",
    ),
    "lease_renewed": (
        "{unit}: renewed, {changes} ends by itself at {until}",
        "{unit}: поновлено, {changes} закінчиться саме о {until}",
    ),
    "gone_removed": (
        "{unit} is {state} on this host: its override was removed ({changes}) without a restart; a process of it that"
        " still runs keeps the old value until it ends",
        "{unit} на цьому хості {state}: зміну прибрано ({changes}) без перезапуску; його процес, який ще працює,"
        " зберігає старе значення, доки не завершиться",
    ),
    "gone_would_be_removed": (
        "{unit} is {state} on this host: its override would be removed ({changes}) without a restart; a process of it"
        " that still runs would keep the old value until it ends",
        "{unit} на цьому хості {state}: зміну було б прибрано ({changes}) без перезапуску; його процес, який ще працює,"
        " зберіг би старе значення, доки не завершиться",
    ),
    "lease_over": (
        "{unit}: its time is over, given back: {changes}",
        "{unit}: час вийшов, повернуто: {changes}",
    ),
    "lease_stays": (
        "{unit}: its time is over, and it stays: {problem}",
        "{unit}: час вийшов, але лишається: {problem}",
    ),
    "lease_kept": (
        "{unit}: the time of {changes} is over, and it stays while {metric} is {value} (limit {limit}): giving it back"
        " would raise exposure",
        "{unit}: час {changes} вийшов, але лишається, доки {metric} = {value} (межа {limit}): повернення збільшило б"
        " ризик",
    ),
    "lease_kept_breaker": (
        "{unit}: the time of {changes} is over, and it stays while circuit_breaker_state is {state} (0 CLOSED): the"
        " restart would close an open breaker",
        "{unit}: час {changes} вийшов, але лишається, доки circuit_breaker_state = {state} (0 CLOSED): перезапуск"
        " закрив би відкритий circuit breaker",
    ),
    "lease_end_failed": (
        "{unit}: its time is over, and giving it back failed: {problem}",
        "{unit}: час вийшов, а повернути не вдалося: {problem}",
    ),
    "lease_was_lost": (
        "{unit}: its time is over; somebody had removed the override's files: {changes}",
        "{unit}: час вийшов; файли зміни хтось видалив раніше: {changes}",
    ),
    "lease_lost": (
        "{unit}: {path} is gone, somebody removed it: the override is lost with the next restart; look, then give it"
        " back and apply it again",
        "{unit}: {path} немає, хтось його видалив: зміна зникне з наступним перезапуском; перевірте, потім поверніть її"
        " і застосуйте знову",
    ),
    "lease_no_timer": (
        "{unit}: its end will NOT come by itself: aurora-runbook-leases.timer is {state}; run `systemctl enable --now"
        " aurora-runbook-leases.timer`, or apply it again",
        "{unit}: саме НЕ закінчиться: aurora-runbook-leases.timer {state}; виконайте `systemctl enable --now"
        " aurora-runbook-leases.timer` або застосуйте знову",
    ),
    "until": ("{change} (until {until})", "{change} (до {until})"),
    "settle_finished": (
        "{unit}: an earlier run was cut off; finished: {changes}",
        "{unit}: попередній запуск обірвався; завершено: {changes}",
    ),
    "settle_undone": (
        "{unit}: an earlier run was cut off; undone, since it raised exposure: {changes}",
        "{unit}: попередній запуск обірвався; скасовано, бо збільшувало ризик: {changes}",
    ),
    "settle_would_be_finished": (
        "{unit}: an earlier run was cut off; would be finished: {changes}",
        "{unit}: попередній запуск обірвався; було б завершено: {changes}",
    ),
    "settle_would_be_undone": (
        "{unit}: an earlier run was cut off; would be undone, since it raises exposure: {changes}",
        "{unit}: попередній запуск обірвався; було б скасовано, бо збільшує ризик: {changes}",
    ),
    "settle_nothing": ("{unit}: nothing is unfinished", "{unit}: незавершеного немає"),
    # Log rotation
    "log_freed": (
        "{directory}: {count} rotated files removed, {mib} MiB freed, {percent} % of the disk is free now",
        "{directory}: видалено ротованих файлів: {count}, звільнено {mib} МіБ, тепер вільно {percent} % диска",
    ),
    "log_would_free": (
        "{directory}: would remove {count} rotated files and free {mib} MiB",
        "{directory}: видалилося б ротованих файлів: {count}, звільнилося б {mib} МіБ",
    ),
    "log_little": (
        "{directory}: {percent} % of the disk is free, {wanted} % is wanted, and the newest {keep} rotated files of "
        "each log stay; make room by hand",
        "{directory}: вільно {percent} % диска з бажаних {wanted} %, а {keep} найновіших ротованих файлів кожного логу "
        "лишаються; звільніть місце вручну",
    ),
    "log_rotated": ("{logs} rotated by {method}", "ротовано через {method}: {logs}"),
    "log_lost": (
        "{log} IS GONE: the rotation left its lines in no file of {directory}; look where it put them, and mend the "
        "rotation before it runs again",
        "{log} ЗНИК: після ротації його рядків немає в жодному файлі {directory}; з'ясуйте, куди вона їх поділа, і "
        "виправте її до наступного запуску",
    ),
    "log_unnamed": (
        "{log} is rotated by nothing on this host: {config} does not name it",
        "{log} на цьому хості ніщо не ротує: {config} його не називає",
    ),
    "log_complaint": (
        "every log is rotated, and yet: {problem}; what needs root in its scripts was not done",
        "усі логи ротовано, проте: {problem}; те, що в його скриптах потребує root, не зроблено",
    ),
    "log_would_rotate": ("would rotate {logs} by {method}", "ротувалося б через {method}: {logs}"),
    "log_would_tell": (
        "would have {unit} leave {file}, which was rotated earlier",
        "{unit} залишив би {file}, ротований раніше",
    ),
    "log_reopened_itself": (
        "{unit} opened the new {log} by itself or by the rotation",
        "{unit} відкрив новий {log} сам або через ротацію",
    ),
    "log_reopened_reload": ("{unit} opened the new {log} on reload", "{unit} відкрив новий {log} після reload"),
    "log_reopened_restart": ("{unit} opened the new {log} after a restart", "{unit} відкрив новий {log} після restart"),
    "log_closed": (
        "{unit} no longer writes into the rotated {log} and has not opened the new one yet",
        "{unit} більше не пише в ротований {log} і ще не відкрив нового",
    ),
    "log_still_behind": (
        "{unit} STILL WRITES into the rotated {log}: restart it when that is safe, before the next rotation",
        "{unit} ДОСІ ПИШЕ в ротований {log}: перезапустіть його, коли це безпечно, до наступної ротації",
    ),
    "log_behind": (
        "not rotated: {writer} still writes into {file} since an earlier rotation, and may not be restarted; another "
        "rotation would lose its lines",
        "не ротовано: {writer} досі пише в {file} після попередньої ротації, а перезапускати його не дозволено; нова "
        "ротація втратила б його рядки",
    ),
    "log_untellable": (
        "not rotated: {writer} writes into {log} and can neither be told to reopen it (its unit has no ExecReload) nor "
        "be restarted unattended",
        "не ротовано: {writer} пише в {log}, і йому не можна ні наказати відкрити новий (юніт не має ExecReload), ні "
        "перезапустити його без людини",
    ),
    "log_no_room": (
        "not rotated: it may need {need} MiB, {free} MiB and {inodes} files are free",
        "не ротовано: може знадобитися {need} МіБ, а вільно {free} МіБ і {inodes} файлів",
    ),
    "log_no_way": ("not rotated: {reason}", "не ротовано: {reason}"),
    "log_odd": ("not rotated: {log} is {reason}", "не ротовано: {log} — це {reason}"),
    "log_recent": (
        "nothing to rotate: every log is empty or was rotated within {seconds} s",
        "нічого ротувати: кожен лог порожній або ротований за останні {seconds} с",
    ),
    "reduces": ("reduces", "зменшує ризик"),
    "neutral": ("does not change", "не змінює ризику"),
    "increases": ("increases", "збільшує ризик"),
    # Evidence of a cause
    "no_cause": ("nothing that was looked at explains it", "ніщо з переглянутого цього не пояснює"),
    "why_share": (
        "{percent} % of the last {denials} denials say {code}",
        "{percent} % останніх відмов ({denials}): {code}",
    ),
    "exchange_limits": (
        "the exchange answers {status} and has no requests left for us (Retry-After: {retry})",
        "біржа відповідає {status} і не лишила нам запитів (Retry-After: {retry})",
    ),
    "exchange_answers": (
        "the exchange answers {status} (Retry-After: {retry})",
        "біржа відповідає {status} (Retry-After: {retry})",
    ),
    "exchange_silent": (
        "the exchange does not answer although something there does: {problem}",
        "біржа не відповідає, хоча сервер там озивається: {problem}",
    ),
    "exchange_unanswered": (
        "the exchange cannot be asked, and why is not clear: {problem}",
        "запитати біржу не вдається, причина неясна: {problem}",
    ),
    "address_dead": (
        "the name leads to addresses that take no connection: {addresses}; another one of it does",
        "ім'я веде й на адреси, що не приймають з'єднань: {addresses}; інша його адреса приймає",
    ),
    "exchange_slow": (
        "the exchange took {ms} ms for its status page, the limit is {limit} ms",
        "біржа віддавала сторінку стану {ms} мс за межі {limit} мс",
    ),
    "orders_wait": (
        "the p99 of orders is {p99} ms, while the exchange answers a lone request in {ms} ms: they wait for each other",
        "p99 ордерів {p99} мс, хоча на окремий запит біржа відповідає за {ms} мс: вони чекають одне на одного",
    ),
    "packets_lost": (
        "the network lost {lost} of {sent} pings to {host}",
        "мережа втратила {lost} з {sent} ping до {host}",
    ),
    "loss_stays": (
        "not closed as recovered: the network lost packets to the exchange, which less activity does not cure",
        "не закрито як відновлене: мережа губила пакети до біржі, а менша активність цього не усуне",
    ),
    "exchange_gone": (
        "the exchange answers neither HTTP nor ping: {problem}",
        "біржа не відповідає ні на HTTP, ні на ping: {problem}",
    ),
    "ece_high": (
        "calibration_ece is {value}, the limit is {limit}",
        "calibration_ece = {value}, межа {limit}",
    ),
    "nginx_says": ("nginx -t: {message}", "nginx -t: {message}"),
    "certificate_says": ("certificate: {problem}", "сертифікат: {problem}"),
    "dns_says": ("DNS: {problem}", "DNS: {problem}"),
    "disk_says": ("{path}: {what} is {percent} %", "{path}: {what} = {percent} %"),
    "cpu_says": (
        "CPU {busy} % busy, most of it {name} (pid {pid}, {cpu_percent} % of a core)",
        "CPU зайнятий на {busy} %, найбільше {name} (pid {pid}, {cpu_percent} % ядра)",
    ),
    "cpu_says_elsewhere": (
        "CPU {busy} % busy, {own} % of it by processes of this host: see what runs beside it on its machine",
        "CPU зайнятий на {busy} %, з них процесами цього хоста {own} %: погляньте, що ще працює на його машині",
    ),
    "cpu_waits": (
        "the runner waits for a core {waiting} % of the time, and {name} (pid {pid}) takes {cpu_percent} % of a core",
        "runner чекає на ядро {waiting} % часу, а {name} (pid {pid}) займає {cpu_percent} % ядра",
    ),
    "iostat_says": ("disk {name} is {util} % busy", "диск {name} зайнятий на {util} %"),
    "unit_down": (
        "{unit} is {state}, crashes in the last 5 min: {restarts}",
        "{unit}: {state}, збоїв за останні 5 хв: {restarts}",
    ),
    "healthz_says": ("{unit} runs, and /healthz says: {problem}", "{unit} працює, а /healthz каже: {problem}"),
    "page_says": (
        "{unit} runs, and its metrics cannot be read: {problem}",
        "{unit} працює, а його метрик не прочитати: {problem}",
    ),
    "memory_killed": (
        "{unit} was killed for its memory ({kills} times lately), its limit is {limit} MiB",
        "{unit} вбито через пам'ять (останнім часом {kills} р.), його межа {limit} МіБ",
    ),
    "quota_says": (
        "{unit} uses {percent} % of a core, its CPUQuota is {quota} %",
        "{unit} займає {percent} % ядра за CPUQuota {quota} %",
    ),
    "quota_holds": (
        "{unit} uses {percent} % of a core, and its CPUQuota of {quota} % holds it back {held} % of the time",
        "{unit} займає {percent} % ядра, а CPUQuota {quota} % стримує його {held} % часу",
    ),
    "outside_says": ("from outside, {link}: {problem}", "ззовні, {link}: {problem}"),
    "one_observer": (
        "{observer} alone saw this, and the host serves inside: look from a second place as well",
        "це бачив лише {observer}, а всередині хост працює: перевірте ще з одного місця",
    ),
    "observer_cut_off": (
        "{observer} reaches none of the {hosts} hosts in the same way, while this one serves {clients} clients: look at"
        " the network of {observer} first",
        "{observer} однаково не досягає жодного з хостів ({hosts}), а цей обслуговує клієнтів ({clients}): спершу"
        " перевірте мережу самого {observer}",
    ),
    "in_doubt": ("whoever looks from outside is cut off itself", "той, хто дивиться ззовні, сам відрізаний"),
    "way_whole": ("from outside, {url} is served", "ззовні {url} відповідає"),
    "firewall_closed": (
        "port {port} is closed from outside, and the firewall of this host does not let it in: {rule}",
        "порт {port} ззовні закритий, firewall цього хоста його не пускає: {rule}",
    ),
    "no_way_in_unsure": (
        "port {port} does not answer from outside ({problem}); nginx and the feed do on the host, and whether its"
        " firewall closes it cannot be told: {rule}",
        "порт {port} ззовні не відповідає ({problem}); на хості nginx і feed працюють, а чи закриває його firewall,"
        " визначити не вдалося: {rule}",
    ),
    "no_way_in": (
        "port {port} does not answer from outside ({problem}); nginx and the feed do on the host, and its firewall does"
        " not close it",
        "порт {port} ззовні не відповідає ({problem}); на хості nginx і feed працюють, і firewall його не закриває",
    ),
    "memory_says": ("{unit} uses {mib} of {limit} MiB", "{unit} займає {mib} з {limit} МіБ"),
    "trades_stale": (
        "the newest trade is {age} h old, the limit is {limit} h",
        "остання угода {age} год тому за межі {limit} год",
    ),
    "trades_malformed": (
        "{percent} % of the last {lines} lines are no trades, the limit is {limit:g} %",
        "{percent} % з останніх рядків ({lines}) — не угоди, межа {limit:g} %",
    ),
    "trades_few": (
        "only {count} trades in {days:g} days, {needed} are needed",
        "лише {count} угод за {days:g} днів, потрібно {needed}",
    ),
    "trades_ahead": (
        "{percent} % of the last {lines} trades lie ahead of this host's clock: check the clock first",
        "{percent} % з останніх угод ({lines}) — попереду годинника хоста: спершу перевірте годинник",
    ),
    # Summary of a triage
    "nothing_breached": ("nothing that could be read is breached", "жоден прочитаний показник не порушено"),
    "breached": (
        "{severity}: {metric} is {value}, limit {limit}",
        "{severity}: {metric} = {value}, межа {limit}",
    ),
    "half_open": (
        "{metric} is {value}: the breaker is only trying (HALF_OPEN), that is not recovered",
        "{metric} = {value}: circuit breaker лише пробує (HALF_OPEN), це ще не відновлення",
    ),
    "not_known": ("not known: {metric}: {reason}", "невідомо: {metric}: {reason}"),
    "stale_samples": (
        "what Prometheus has of it is old or not there: {reason}",
        "дані Prometheus про це застарілі або їх немає: {reason}",
    ),
    "unclear_answer": (
        "Prometheus' answer cannot be used: {reason}",
        "відповідь Prometheus не придатна: {reason}",
    ),
    "few_events": ("too few events in the sample", "замало подій у вибірці"),
    "cause_is": ("likely cause: {cause}: {evidence}", "імовірна причина: {cause}: {evidence}"),
    "probe_failed": ("could not look: {probe}: {problem}", "не вдалося перевірити: {probe}: {problem}"),
    "leased": ("overridden since {granted} by {by}: {unit} {changes}", "змінено з {granted} ({by}): {unit} {changes}"),
    "lease_unfinished": (
        "an override of {unit} was not finished; the next remediation or revert finishes it",
        "зміну {unit} не завершено; її завершить наступне усунення або revert",
    ),
    "incident_open": (
        "open incident {id}, {severity}, for {minutes} min, acknowledged by {by}",
        "відкритий інцидент {id}, {severity}, {minutes} хв, прийняв(ла): {by}",
    ),
    "not_on_record": (
        "how it ended is NOT on record: {problem}",
        "завершення НЕ записано: {problem}",
    ),
    "recorded_open": ("incident {id} stays open", "інцидент {id} лишається відкритим"),
    "recorded_closed": ("incident {id} is closed", "інцидент {id} закрито"),
    "nobody": ("nobody", "ніхто"),
    "chain_broken": (
        "the record of {id} is not as it was written: {problem}",
        "запис {id} не такий, як був написаний: {problem}",
    ),
    "claimed": (
        "a run works here: {by}, on {incident}, since {since}",
        "тут працює запуск: {by}, інцидент {incident}, від {since}",
    ),
    "cut_off": (
        "{action} of {target} was cut off at {at} ({by}), and nobody said yet what became of it",
        "{action} для {target} обірвано о {at} ({by}), і що з цього вийшло, ще ніхто не сказав",
    ),
    "paused_until": ("automation is paused here until {until}", "автоматику тут призупинено до {until}"),
    "paused_for_good": (
        "automation is paused here until somebody removes /var/lib/aurora-runbook/pause",
        "автоматику тут призупинено, поки хтось не видалить /var/lib/aurora-runbook/pause",
    ),
    # Report
    "report_head": ("{incident}: {verdicts}", "{incident}: {verdicts}"),
    "host": ("{host}: {verdict}", "{host}: {verdict}"),
    "was": ("  was:  {text}", "  було:     {text}"),
    "done": ("  done: {text}", "  зроблено: {text}"),
    "now": ("  now:  {text}", "  зараз:    {text}"),
    "left": ("  left: {text}", "  лишилося: {text}"),
    "record": ("  record: {text}", "  запис:    {text}"),
    "next": ("  next: {text}", "  далі:     {text}"),
    "unreachable": (
        "the host does not answer, so nothing is known about it: {problem}",
        "хост не відповідає, тож про нього нічого не відомо: {problem}",
    ),
    "looked_badly": ("could not look: {problem}", "не вдалося подивитися: {problem}"),
    "not_reached": ("it was not reached in this run", "у цьому запуску до нього не дісталися"),
    "why_unfinished": (
        "an earlier run left an override of {units} half done; that is settled first",
        "попередній запуск лишив перевизначення {units} незавершеним; спершу воно доводиться до ладу",
    ),
    "why_healthy": ("{metric} is {value}, limit {limit}", "{metric} = {value}, межа {limit}"),
    "failed": ("failed: {problem}", "не вдалося: {problem}"),
    "not_tried": (
        "left as it is, since an earlier host did not recover",
        "не чіпали, бо попередній хост не відновився",
    ),
    "no_procedure": (
        "the runbook has no procedure for it: nothing was changed",
        "runbook не має процедури для цього: нічого не змінено",
    ),
    "only_looked": ("only looked (aurora_autonomy=observe)", "лише подивилися (aurora_autonomy=observe)"),
    "overridden": ("{unit} is overridden: {changes}", "{unit} змінено: {changes}"),
    "next_revert": (
        "when the cause is gone, give it back: ansible-playbook aurora.runbook.revert --limit {host}",
        "коли причина зникне, повернути: ansible-playbook aurora.runbook.revert --limit {host}",
    ),
    "next_approve": (
        "decide, then run again with: -e aurora_approve={knobs} --limit {host}",
        "вирішити й запустити ще раз: -e aurora_approve={knobs} --limit {host}",
    ),
    "next_approve@awx": (
        "decide: launch the workflow aurora.runbook.{incident} with limit {host}; it asks for the approval of {knobs}",
        "вирішити: запустити workflow aurora.runbook.{incident} з limit {host}; він запитає схвалення {knobs}",
    ),
    "next_person": (
        "escalate to L2: every step that is safe unattended is done; look at the cause above",
        "ескалювати на L2: усі безпечні кроки вже зроблено; дивіться причину вище",
    ),
    "next_held": (
        "wait until that run has ended, then run this again: it does what is left to do",
        "дочекатися кінця того запуску й запустити ще раз: зроблено буде те, що лишиться",
    ),
    "next_paused": (
        "ask who paused it; to end the pause: ansible {host} -b -m aurora.runbook.incident -a state=resumed",
        "запитати, хто призупинив; зняти паузу: ansible {host} -b -m aurora.runbook.incident -a state=resumed",
    ),
    "next_later": (
        "run this again in {minutes} min, when the guard above allows it; if it cannot wait, escalate to L2",
        "запустити ще раз за {minutes} хв, коли запобіжник вище дозволить; якщо це не чекає — ескалювати на L2",
    ),
    "next_refused": (
        "escalate to L2: what was refused above needs a person's decision",
        "ескалювати на L2: відмова вище потребує рішення людини",
    ),
    # What a person does next, by the cause that no rung cures
    "mend_feed_crash_loop": (
        "mend what the feed's journal complains about, then run this again; it was not restarted again",
        "виправити те, на що скаржиться журнал фіда, і запустити ще раз; більше його не перезапускали",
    ),
    "mend_runner_down": (
        "nothing trades here: find out why the runner ended (journalctl -u, its unit is named above), then start it by"
        " hand; it was not started, since it would come up at full activity with its breaker closed",
        "тут ніщо не торгує: з'ясувати, чому runner завершився (journalctl -u, його юніт названо вище), потім запустити"
        " його вручну; автоматика не запускала: він піднявся б на повній активності із закритим circuit breaker",
    ),
    "mend_runner_crash_loop": (
        "nothing trades here: mend what the runner's journal complains about (journalctl -u, its unit is named above);"
        " it was not restarted, one more restart would not help",
        "тут ніщо не торгує: виправити те, на що скаржиться журнал runner (journalctl -u, його юніт названо вище); його"
        " не перезапускали, ще один перезапуск не допоміг би",
    ),
    "mend_runner_hung": (
        "look whether the runner still trades: open orders at the exchange, its journal, its metrics page; it was not"
        " restarted, since an open breaker lives in its memory",
        "перевірити, чи runner ще торгує: відкриті ордери на біржі, його журнал, сторінка метрик; його не"
        " перезапускали, бо відкритий circuit breaker живе в його пам'яті",
    ),
    "mend_runner_starting": (
        "the runner is only starting: see that it comes up, then run this again",
        "runner лише запускається: переконатися, що він піднявся, і запустити ще раз",
    ),
    "mend_runner_stopping": (
        "the runner is stopping: ask who or what stops it; when it has ended, run this again",
        "runner зупиняється: з'ясувати, хто або що його зупиняє; коли він завершиться, запустити ще раз",
    ),
    "mend_nginx_config": (
        "mend the line that nginx names, check it with nginx -t, then run this again; nginx was not reloaded",
        "виправити рядок, який називає nginx, перевірити nginx -t і запустити ще раз; nginx її не перечитував",
    ),
    "mend_certificate_expired": (
        "renew the certificate of the public address and reload nginx; nothing was restarted",
        "оновити сертифікат публічної адреси й перечитати конфігурацію nginx; нічого не перезапускали",
    ),
    "mend_dns": (
        "correct the DNS record of the public name; nothing was restarted",
        "виправити DNS-запис публічного імені; нічого не перезапускали",
    ),
    "mend_firewall": (
        "let clients in again: ufw status, ufw allow 443/tcp; nothing was restarted",
        "знову впустити клієнтів: ufw status, ufw allow 443/tcp; нічого не перезапускали",
    ),
    "mend_packet_loss": (
        "ask the network's provider: packets are lost on the way to the exchange (mtr -n shows where); TCP was not"
        " tuned for it, and activity stays as low as it was made",
        "звернутися до провайдера мережі: дорогою до біржі губляться пакети (mtr -n покаже де); TCP через це не"
        " змінювали, а знижена активність лишається",
    ),
    "mend_partition": (
        "ask the network's people: packets are lost on the way; nothing was restarted for it",
        "звернутися до мережевиків: пакети губляться дорогою; через це нічого не перезапускали",
    ),
    "mend_stale_trades": (
        "find out why trades.jsonl gets no new trades; no model is fitted to old ones",
        "з'ясувати, чому в trades.jsonl немає нових угод; за старими модель не калібрують",
    ),
    "mend_malformed_trades": (
        "find out what writes broken lines into trades.jsonl; no model is fitted to them",
        "з'ясувати, що пише пошкоджені рядки в trades.jsonl; за ними модель не калібрують",
    ),
    "mend_local_cpu": (
        "stop or move the process named above, or give the host more CPU",
        "зупинити чи перенести названий вище процес або дати хосту більше CPU",
    ),
    "mend_local_disk": (
        "find out what keeps the disk busy (iotop), and stop or move it",
        "з'ясувати, що завантажує диск (iotop), і зупинити чи перенести це",
    ),
    "mend_exchange_latency": (
        "ask the exchange's support and look at its status page; nothing local makes it faster",
        "звернутися до підтримки біржі, переглянути її сторінку стану; локально прискорити її не можна",
    ),
    "mend_exchange_down": (
        "look at the exchange's status page and ask its support: it is out of order; what was reduced stays so",
        "переглянути сторінку стану біржі й звернутися до її підтримки: біржа несправна; що вже знижено, лишається"
        " зниженим",
    ),
    "mend_rate_limit": (
        "ask the exchange for a higher limit, or leave the lower frequency in place",
        "попросити в біржі вищий ліміт або лишити нижчу частоту",
    ),
    "next_unknown": (
        "check by hand whether it trades, then run this again; unknown is not recovered",
        "перевірити вручну, чи торгує, і запустити ще раз; невідомо — не означає відновлено",
    ),
    "better_placed": (
        "{other} is closer to the exchange: {best} ms against {own} ms round trip; consider trading from there",
        "{other} ближче до біржі: {best} мс проти {own} мс; варто торгувати звідти",
    ),
    "none_better_placed": (
        "no host of this run is closer to the exchange (round trip {own} ms); another region or zone may be",
        "жоден хост цього запуску не ближчий до біржі ({own} мс); можливо, інший регіон чи зона",
    ),
    "next_remediate": (
        "repair: ansible-playbook aurora.runbook.remediate_{incident} --limit {host}",
        "усунути: ansible-playbook aurora.runbook.remediate_{incident} --limit {host}",
    ),
    "next_revert_again": (
        "look at the reason, then: ansible-playbook aurora.runbook.revert --limit {host}",
        "з'ясувати причину, потім: ansible-playbook aurora.runbook.revert --limit {host}",
    ),
    "next_run": ("run it without check mode", "запустити без пробного режиму"),
    # Pages
    "page_title": (
        "{severity} {level} {incident}: {hosts}, open for {age}",
        "{severity} {level} {incident}: {hosts}, триває {age}",
    ),
    "page_head_first": ("{id}: {severity}, open for {age}", "{id}: {severity}, триває {age}"),
    "page_head_later": (
        "{id}: {severity}, unresolved for {age}, more than the {limit} after which {level} takes over",
        "{id}: {severity}, не усунено {age}, довше за {limit}, після яких долучається {level}",
    ),
    "answered": (
        "acknowledged by {who} after {took}, within its {limit}",
        "підтверджено ({who}) за {took}, у межах {limit}",
    ),
    "answered_late": (
        "acknowledged by {who} after {took}, LATE: {limit} were allowed",
        "підтверджено ({who}) за {took}, ЗАПІЗНО: дозволено {limit}",
    ),
    "acted": (
        "automation began to act after {took}, within the {limit} for a response",
        "автоматика почала діяти за {took}, у межах {limit} на реакцію",
    ),
    "acted_late": (
        "automation began to act after {took}, LATE: {limit} were allowed for a response",
        "автоматика почала діяти за {took}, ЗАПІЗНО: на реакцію дозволено {limit}",
    ),
    "answered_then": ("acknowledged by {who} after {took}", "підтверджено ({who}) за {took}"),
    "answer_none": ("no person has acknowledged it yet", "жодна людина ще не підтвердила"),
    "answer_due": (
        "nobody has acknowledged it; {time} left of the {limit}",
        "ніхто ще не підтвердив; лишилося {time} з {limit}",
    ),
    "answer_missed": (
        "NOBODY HAS ACKNOWLEDGED IT: the {limit} ended {time} ago",
        "НІХТО НЕ ПІДТВЕРДИВ: {limit} минули {time} тому",
    ),
    "resolve_due": ("to be resolved within {limit}: {time} left", "усунути протягом {limit}: лишилося {time}"),
    "resolve_missed": (
        "NOT RESOLVED IN TIME: the {limit} ended {time} ago",
        "НЕ УСУНЕНО ВЧАСНО: {limit} минули {time} тому",
    ),
    "page_next_L1": (
        "acknowledge it, look at the diagnosis, apply the known fixes; L2 takes over 30 min after the opening",
        "підтвердити, переглянути діагностику, застосувати відомі дії; через 30 хв від початку долучається L2",
    ),
    "page_next_L2": (
        "analyse deeply, review code, change infrastructure, coordinate with business; L3 takes over 2 h after the"
        " opening",
        "глибокий аналіз, перегляд коду, зміни інфраструктури, узгодження з бізнесом; через 2 год від початку"
        " долучається L3",
    ),
    "page_next_L3": (
        "decide on strategy and people, tell stakeholders, plan the post-mortem; L4 takes over 4 h after the opening",
        "стратегічні рішення, розподіл людей, сповістити зацікавлених, спланувати post-mortem; через 4 год від початку"
        " долучається L4",
    ),
    "page_next_L4": (
        "assess the business impact, manage the crisis, speak to the outside, plan the recovery",
        "оцінити вплив на бізнес, керувати кризою, зовнішня комунікація, планувати відновлення",
    ),
    "page_look": (
        "look: ansible-playbook aurora.runbook.triage --limit {hosts}; repair: aurora.runbook.remediate_{incident}",
        "подивитися: ansible-playbook aurora.runbook.triage --limit {hosts}; усунути: "
        "aurora.runbook.remediate_{incident}",
    ),
    "page_more": ("… {count} more lines: see the triage", "… ще рядків: {count}, дивіться triage"),
    "and_more": ("{list} and {count} more", "{list} і ще {count}"),
    "leased_until": (
        "{unit} is overridden: {changes}; the first of it ends by itself at {until}",
        "{unit} змінено: {changes}; перше з цього саме закінчиться о {until}",
    ),
    "span_days": ("{count} d", "{count} дн"),
    "span_hours": ("{count} h", "{count} год"),
    "span_minutes": ("{count} min", "{count} хв"),
    "span_seconds": ("{count} s", "{count} с"),
    "notified": ("told: {channels}", "повідомлено: {channels}"),
    "would_notify": ("would tell: {channels}", "було б повідомлено: {channels}"),
    "not_notified": ("{channel} could not be told: {problem}", "не вдалося повідомити {channel}: {problem}"),
    "nobody_notified": (
        "NOBODY WAS TOLD: every channel failed, call by hand",
        "НІКОГО НЕ ПОВІДОМЛЕНО: жоден канал не спрацював, телефонуйте",
    ),
    "apprise_too_old": (
        "Apprise {found} is too old: pip install 'apprise>={needed}' where the playbook runs",
        "Apprise {found} застарілий: виконайте pip install 'apprise>={needed}' там, де працює playbook",
    ),
    "no_channels": (
        "NOBODY WAS TOLD: no channel is named for this level (aurora_contacts)",
        "НІКОГО НЕ ПОВІДОМЛЕНО: для цього рівня не задано каналів (aurora_contacts)",
    ),
    # Silences
    "silenced": ("{alert} of {hosts} is silenced until {until}", "{alert} для {hosts} приглушено до {until}"),
    "would_silence": (
        "would silence {alert} of {hosts} until {until}",
        "{alert} для {hosts} було б приглушено до {until}",
    ),
    "silence_stands": (
        "{alert} of {hosts} is silenced already, until {until}",
        "{alert} для {hosts} вже приглушено до {until}",
    ),
    "silence_matches_none": (
        "NOTHING IS SILENCED: Alertmanager has no {alert} whose label {label} means {hosts}; an alert that already"
        " sounds goes on to sound (the silence stands until {until}); see aurora_prometheus_instance",
        "НІЧОГО НЕ ПРИГЛУШЕНО: Alertmanager не має {alert}, де мітка {label} означає {hosts}; алерт, який уже лунає,"
        " лунатиме далі (приглушення діє до {until}); див. aurora_prometheus_instance",
    ),
    "silence_unknown": (
        "the silence of {alert} of {hosts} stands until {until}; Alertmanager did not say whether it matches an alert",
        "приглушення {alert} для {hosts} діє до {until}; Alertmanager не сказав, чи воно охоплює хоч один алерт",
    ),
    "silence_failed": (
        "the alert could not be silenced and goes on to sound: {problem}",
        "алерт не вдалося приглушити, він лунатиме далі: {problem}",
    ),
    "silence_matches": (
        "alerts that it matches: {count}",
        "алертів, які воно охоплює: {count}",
    ),
    "unsilenced": ("silences of {incident} that were ended: {count}", "припинено приглушень {incident}: {count}"),
    "would_unsilence": (
        "silences of {incident} that would end: {count}",
        "припинилося б приглушень {incident}: {count}",
    ),
    "nothing_silenced": ("nothing is silenced for {incident}", "для {incident} нічого не приглушено"),
    "unset": ("(unset)", "(не задано)"),
    "unlimited": ("unlimited", "без обмеження"),
    # Post-mortem: words of the report
    "pm_title": ("Post-mortem: {incident}", "Post-mortem: {incident}"),
    "pm_unknown": ("unknown", "невідомо"),
    "pm_none": ("none", "немає"),
    "pm_yes": ("yes", "так"),
    "pm_no": ("no", "ні"),
    "pm_seconds": ("{n} s", "{n} с"),
    "pm_minutes": ("{n} min", "{n} хв"),
    "pm_hours": ("{n} h", "{n} год"),
    "pm_warnings": ("Read this first", "Спершу прочитайте"),
    "pm_summary": ("In short", "Коротко"),
    "pm_incident": ("Incident", "Інцидент"),
    "pm_class": ("Class", "Клас"),
    "pm_severity_now": ("Severity now, at its worst", "Рівень тепер, найгірший"),
    "pm_began_at": ("Trouble began", "Біда почалася"),
    "pm_opened_at": ("Opened", "Відкрито"),
    "pm_closed_at": ("Closed", "Закрито"),
    "pm_still_open": ("STILL OPEN, as of {at}", "ДОСІ ВІДКРИТИЙ, станом на {at}"),
    "pm_hosts": ("Hosts", "Хости"),
    "pm_timeline": ("Timeline", "Хронологія"),
    "pm_own_clocks": (
        "Each host's lines stand by its own clock. UTC, and local time ({zone}).",
        "Рядки кожного хоста стоять за його годинником. UTC і місцевий час ({zone}).",
    ),
    "pm_left_out": ("{count} lines are left out here", "тут пропущено рядків: {count}"),
    "pm_local": ("local", "місцевий"),
    "pm_host": ("Host", "Хост"),
    "pm_what": ("What", "Що"),
    "pm_impact": ("Impact", "Вплив"),
    "pm_in_breach": ("In breach", "За межею"),
    "pm_beyond": ("Beyond the limit, integrated", "Понад межу, інтеграл"),
    "pm_known_for": ("Known for", "Відомо за"),
    "pm_denied": ("Orders denied", "Відмовлено ордерів"),
    "pm_dropped": ("SSE clients dropped", "Від'єднано SSE-клієнтів"),
    "pm_source": ("From", "Звідки"),
    "pm_of": ("{part} of {whole}", "{part} із {whole}"),
    "pm_from_prometheus": ("Prometheus", "Prometheus"),
    "pm_from_record": ("samples of the record", "вимірювання із запису"),
    "pm_impact_notes": (
        "Orders denied: from Prometheus, else (≥) those counted while a step was watched."
        " Clients dropped: the larger of what Prometheus shows, the deepest fall of the connected ones, and what the"
        " record shows, those that our restarts dropped. Unknown is not zero.",
        "Відмовлені ордери: з Prometheus, інакше (≥) ті, що пораховані під час спостереження за кроком."
        " Від'єднані клієнти: більше з двох: з Prometheus — найглибше падіння кількості підключених, із запису — ті,"
        " яких від'єднали наші перезапуски. Невідомо — це не нуль.",
    ),
    "pm_write_impact": (
        "(a person writes this: what it cost in money and trust)",
        "(пише людина: чого це коштувало в грошах і довірі)",
    ),
    "pm_indicator": ("The indicator", "Показник"),
    "pm_limit": ("limit", "межа"),
    "pm_chart": (
        "{metric} of each host over time, with its limit, actions and pages",
        "{metric} кожного хоста в часі, з межею, діями та викликами",
    ),
    "pm_no_series": ("No values of it are on record.", "Його значень у записі немає."),
    "pm_course_of": (
        "first {first}, worst {worst}, last {last}",
        "перше {first}, найгірше {worst}, останнє {last}",
    ),
    "pm_first": ("First", "Перше"),
    "pm_worst": ("Worst", "Найгірше"),
    "pm_last": ("Last", "Останнє"),
    "pm_course": ("Course", "Перебіг"),
    "pm_causes": ("Suspected cause", "Імовірна причина"),
    "pm_evidence": ("Evidence", "Докази"),
    "pm_first_look": ("When each host was first looked at", "Коли на кожен хост подивилися вперше"),
    "pm_also": ("also considered", "також розглядали"),
    "pm_root": ("Root cause", "Першопричина"),
    "pm_write_root": (
        "(a person writes this: what failed, why, and why it was not noticed earlier)",
        "(пише людина: що відмовило, чому, і чому цього не помітили раніше)",
    ),
    "pm_lessons": ("Lessons", "Уроки"),
    "pm_write_lessons": (
        "(a person writes this: what went well, what did not, where we were lucky)",
        "(пише людина: що вдалося, що ні, де пощастило)",
    ),
    "pm_keep": (
        "What stands between these marks is kept when the report is written again, and goes into the HTML.",
        "Те, що стоїть між цими позначками, лишається, коли звіт пишуть знову, і потрапляє в HTML.",
    ),
    "pm_actions": ("Actions", "Дії"),
    "pm_no_actions": ("No action is on record.", "Дій у записі немає."),
    "pm_action": ("Action", "Дія"),
    "pm_change": ("Change", "Зміна"),
    "pm_before_after": ("Indicator before → after", "Показник до → після"),
    "pm_outcome": ("Outcome", "Результат"),
    "pm_did_it_help": ("Did it help?", "Допомогло?"),
    "pm_helped": ("it helped", "допомогло"),
    "pm_not_helped": ("it did not help", "не допомогло"),
    "pm_help_unknown": ("unknown whether it helped", "невідомо, чи допомогло"),
    "pm_direction": ("{direction} exposure", "{direction}"),
    "pm_restart": ("restart", "перезапуск"),
    "pm_refusals": ("Refused by guards", "Відмови запобіжників"),
    "pm_guard": ("Guard", "Запобіжник"),
    "pm_allowed_in": ("Allowed in", "Дозволить за"),
    "pm_pages": ("Pages and acknowledgement", "Виклики та підтвердження"),
    "pm_level": ("Level", "Рівень"),
    "pm_sent": ("Sent over", "Надіслано через"),
    "pm_failed": ("Failed", "Не вдалося"),
    "pm_nobody": ("Nobody acknowledged it.", "Ніхто не підтвердив."),
    "pm_deadlines": ("Deadlines", "Строки"),
    "pm_by": ("By", "До"),
    "pm_at": ("At", "Коли"),
    "pm_respond": ("response", "реакція"),
    "pm_resolve": ("resolution", "усунення"),
    "pm_met": ("met", "дотримано"),
    "pm_missed": ("MISSED", "ПРОПУЩЕНО"),
    "pm_running": ("still running", "ще триває"),
    "pm_leases": ("Still leased", "Досі змінено"),
    "pm_until": ("Until", "До якого часу"),
    "pm_endless": ("no end: until somebody gives it back", "без строку: поки хтось не поверне"),
    "pm_nothing_leased": ("Nothing is leased any more.", "Нічого зміненого не лишилося."),
    "pm_follow_ups": ("Follow-ups", "Що зробити далі"),
    "pm_owner": ("Owner", "Хто"),
    "pm_due": ("Due", "До"),
    "pm_done": ("Done", "Зроблено"),
    "pm_records": ("Records", "Записи"),
    "pm_lines": ("Lines", "Рядків"),
    "pm_head": ("Hash of the last line", "Хеш останнього рядка"),
    "pm_chain": ("Chain", "Ланцюг"),
    "pm_whole": ("whole", "цілий"),
    "pm_broken": ("BROKEN", "РОЗІРВАНО"),
    # Post-mortem: lines of a timeline
    "pm_opened": ("incident opened, {severity}: {origin}", "інцидент відкрито, {severity}: {origin}"),
    "pm_joined": ("joined: {origin}", "приєднано: {origin}"),
    "pm_by_alert": ("alert {alert}", "алерт {alert}"),
    "pm_by_hand": ("by {who}, without an alert", "{who}, без алерту"),
    "pm_moved_from": ("moved here from {id}", "перенесено з {id}"),
    "pm_seen": ("{metric} is {value}, limit {limit}", "{metric} = {value}, межа {limit}"),
    "pm_not_seen": ("{metric} could not be read: {problem}", "{metric} не вдалося прочитати: {problem}"),
    "pm_cause": ("likely cause: {cause}", "імовірна причина: {cause}"),
    "pm_intent": ("{action} on {target} begins (by {who})", "{action} на {target} починається ({who})"),
    "pm_forced": ("FORCED: {reason}", "ПРИМУСОВО: {reason}"),
    "pm_outcome_done": ("done", "зроблено"),
    "pm_outcome_failed": ("FAILED", "НЕ ВДАЛОСЯ"),
    "pm_outcome_finished": ("finished by a later run", "завершено пізнішим запуском"),
    "pm_outcome_undone": ("undone by a later run", "скасовано пізнішим запуском"),
    "pm_outcome_unknown": ("what became of it is unknown", "що з цього вийшло, невідомо"),
    "pm_unfinished": ("UNFINISHED: no result is on record", "НЕЗАВЕРШЕНО: результату в записі немає"),
    "pm_refused": (
        "{action} on {target} refused by {guard}: {text}",
        "{action} на {target}: відмова запобіжника {guard}: {text}",
    ),
    "pm_verdict": ("a run ended: {verdict}", "запуск завершено: {verdict}"),
    "pm_closed": ("incident closed: {verdict}", "інцидент закрито: {verdict}"),
    "pm_paged": ("{level} paged over {sent}", "викликано {level} через {sent}"),
    "pm_paging_failed": ("failed: {failed}", "не вдалося: {failed}"),
    "pm_lease_ended": ("lease of {name} ended: {outcome}", "строк зміни {name} минув: {outcome}"),
    "pm_lease_renewed": ("{who} renewed a lease: {text}", "{who} поновлює строк зміни: {text}"),
    "pm_lease_taken_back": ("taken back", "повернуто"),
    "pm_lease_left_alone": ("left alone, somebody changed it since", "не чіпали: хтось змінив пізніше"),
    "pm_lease_kept": ("kept, the host is not healthy", "лишено: хост нездоровий"),
    "pm_lease_lost": ("it was lost already", "уже було втрачено"),
    "pm_severity": ("severity {before} → {to}", "рівень {before} → {to}"),
    "pm_acknowledged": ("{who} acknowledged: {text}", "{who} підтверджує: {text}"),
    "pm_note": ("{who} notes: {text}", "{who} зауважує: {text}"),
    "pm_paused": ("{who} paused automation until {until}", "{who} призупиняє автоматику до {until}"),
    "pm_resumed": ("{who} resumed automation", "{who} поновлює автоматику"),
    "pm_paging": ("paging {level}: whether it was sent is not known", "виклик {level}: чи надіслано, невідомо"),
    "pm_silenced_none": (
        "a silence until {until} that matched no alert: nothing was silenced",
        "приглушення до {until} не охопило жодного алерту: нічого не заглушено",
    ),
    "pm_silenced": ("alert silenced until {until}", "алерт заглушено до {until}"),
    "pm_reopened": ("incident opened again", "інцидент відкрито знову"),
    "pm_moved": ("goes on as {to}", "продовжено як {to}"),
    "pm_other": ("{what}: {text}", "{what}: {text}"),
    # Post-mortem: what is wrong with what is known
    "pm_missing": (
        "{host} could not be read, so what it knows is not in here: {problem}",
        "{host} не вдалося прочитати, тож того, що він знає, тут немає: {problem}",
    ),
    "pm_not_all": (
        "not all that {host} keeps could be read, so it is not all in here: {problem}",
        "не все, що зберігає {host}, вдалося прочитати, тож тут не все: {problem}",
    ),
    "pm_not_in_play": (
        "another host names it as part of the incident, and it was not asked: --limit, or gone from the inventory",
        "інший хост називає його частиною інциденту, а цей запуск його не питав: --limit або вилучено з інвентарю",
    ),
    "pm_no_record": (
        "another host names it as part of the incident, and it has no record: it was out of reach then, or lost it",
        "інший хост називає його частиною інциденту, а запису на ньому немає: тоді був недосяжний або втратив запис",
    ),
    "pm_chain_broken": (
        "{host}: the chain of its record is BROKEN, so lines may have been changed or removed: {problem}",
        "{host}: ланцюг запису РОЗІРВАНО, тож рядки могли змінити чи вилучити: {problem}",
    ),
    "pm_lost_lines": ("{host}: lines that could not be read: {count}", "{host}: рядків не вдалося прочитати: {count}"),
    "pm_torn": (
        "{host}: a line was torn before line {seq}, as a crash or a power loss does; what it said is lost",
        "{host}: перед рядком {seq} один обірвано, як від збою чи втрати живлення; що в ньому було, втрачено",
    ),
    "pm_torn_now": (
        "{host}: the last line of its record is torn, as by a crash or a power loss; what it said is lost",
        "{host}: останній рядок його запису обірвано, як від збою чи втрати живлення; що в ньому було, втрачено",
    ),
    "pm_intent_open": (
        "{host}: {action} (line {seq}) has no result: what it left on the host is not known from here",
        "{host}: {action} (рядок {seq}) не має результату: що лишилося на хості, звідси невідомо",
    ),
    "pm_page_open": (
        "{level}: the record ends between paging and its result; it may have been sent or not",
        "{level}: запис уривається між викликом і його результатом; може, надіслано, а може, ні",
    ),
    "pm_page_lost": ("{level}: no channel took the page: {failed}", "{level}: виклик не прийняв жоден канал: {failed}"),
    "pm_clocks": (
        "the clock of {fast} is {span} ahead of that of {slow}: their lines may stand in a wrong order",
        "годинник {fast} на {span} попереду {slow}: їхні рядки можуть стояти не в тому порядку",
    ),
    "pm_clock_ahead": (
        "{host}: its clock was set {span} ahead before line {seq}",
        "{host}: перед рядком {seq} його годинник переведено на {span} вперед",
    ),
    "pm_clock_back": (
        "{host}: its clock was set {span} back before line {seq}",
        "{host}: перед рядком {seq} його годинник переведено на {span} назад",
    ),
    "pm_no_prometheus": (
        "Prometheus did not answer, so figures are from the samples of the record: {problem}",
        "Prometheus не відповів, тож числа взято з вимірювань у записі: {problem}",
    ),
    "pm_prometheus_doubt": (
        "what Prometheus answered cannot be used, so figures are from the samples of the record: {problem}",
        "відповідь Prometheus не придатна, тож числа взято з вимірювань у записі: {problem}",
    ),
    # Post-mortem: in short
    "pm_short_what": (
        "{severity} on {hosts}: {metric} was at worst {value}, limit {limit}.",
        "{severity} на {hosts}: {metric} найгірше {value}, межа {limit}.",
    ),
    "pm_short_open": ("It has been open for {span} and is STILL OPEN.", "Відкритий уже {span} і ДОСІ ВІДКРИТИЙ."),
    "pm_short_closed": ("It was open for {span}.", "Був відкритий {span}."),
    "pm_short_breach": (
        "In breach for {span} on {host}, the longest; {percent} % of the time is known.",
        "Найдовше за межею {host}: {span}; відомо {percent} % часу.",
    ),
    "pm_short_breach_unknown": ("How long it was in breach is unknown.", "Скільки часу був за межею, невідомо."),
    "pm_short_cause": ("Suspected cause: {cause}: {evidence}.", "Імовірна причина: {cause}: {evidence}."),
    "pm_short_no_cause": ("Nothing that was looked at explains it.", "Ніщо з переглянутого цього не пояснює."),
    "pm_short_actions": (
        "Actions: {count}, helped: {helped}, refused by guards: {refused}.",
        "Дій: {count}, допомогло: {helped}, відмов запобіжників: {refused}.",
    ),
    "pm_short_deadlines": ("Deadlines: {states}.", "Строки: {states}."),
    "pm_short_leases": ("Still in place: {names}.", "Досі діє: {names}."),
    # Post-mortem: follow-ups
    "pm_owner_proposed": ("{who}?", "{who}?"),
    "pm_todo_root": ("find the root cause and write it down above", "знайти першопричину й записати її вище"),
    "pm_todo_lease": (
        "decide on {name} of {host} ({changes}): make it permanent or give it back",
        "вирішити щодо {name} на {host} ({changes}): зробити постійним чи повернути",
    ),
    "pm_todo_unfinished": (
        "{host}: see what became of {action}, which has no result",
        "{host}: з'ясувати, що сталося з {action}, яке не має результату",
    ),
    "pm_todo_missing": (
        "reach {host}, then write this report again",
        "дістатися до {host} і написати цей звіт ще раз",
    ),
    "pm_todo_chain": (
        "find out who or what changed the record of {host}",
        "з'ясувати, хто чи що змінило запис {host}",
    ),
    "pm_todo_deadline": ("find out why the {name} was late", "з'ясувати, чому запізнилися: {name}"),
    "pm_todo_channel": ("mend the channel that failed: {channel}", "полагодити канал, що відмовив: {channel}"),
    "pm_todo_fix": ("fix what caused it", "усунути те, що це спричинило"),
    "pm_todo_docs": ("update the documentation", "оновити документацію"),
    "pm_todo_alerting": ("improve monitoring and alerting", "покращити моніторинг і алерти"),
    "pm_todo_training": ("train whoever needs it", "провести навчання, кому треба"),
}


# How a person does on AWX what takes a command elsewhere. It is said of the texts of the catalogue, never of data.
ON_AWX = "@awx"
_LAUNCHED = (
    (
        r"ansible-playbook (aurora\.runbook\.\S+) --limit (\{\w+\})",
        (r"launch the template \1 with limit \2", r"запустити шаблон \1 з limit \2"),
    ),
    ("-e aurora_force=(?:REASON|ПРИЧИНА)", ("a reason in the survey", "причиною в опитуванні")),
)


def say(language: str, key: str, **values: object) -> str:
    """A message of the catalogue. Values are put in as they are: they are data, never templates.

    ``language`` is one of LANGUAGES, followed by ON_AWX where AWX runs the playbook: then what is to be done next
    names a template instead of a command.
    """
    return text_of(language, key).format(**values)


def text_of(language: str, key: str) -> str:
    """A message with the names of its values instead of them."""
    place, on_awx = LANGUAGES.index(language.removesuffix(ON_AWX)), language.endswith(ON_AWX)
    text = CATALOGUE[f"{key}{ON_AWX}" if on_awx and f"{key}{ON_AWX}" in CATALOGUE else key][place]
    for command, launched in _LAUNCHED if on_awx else ():
        text = re.sub(command, launched[place], text)
    return text


def sentence(key: str, **values: object) -> dict:
    """A message as modules return it, so that the controller can say it in another language."""
    return {"message": key, "values": values, "text": say("en", key, **values)}


def bare(said: dict) -> dict:
    """A sentence as a record keeps it, to be said in the language of whoever reads it."""
    return {"message": said["message"], "values": said["values"]}


def changes(steps: Iterable[Mapping]) -> str:
    """Steps of a change in a sentence of any language: KELLY_MULTIPLIER 1.0 → 0.5."""
    return ", ".join(f"{step.get('name')} {step.get('before')} → {step.get('after')}" for step in steps)


def overridden(language: str, unit: str, values: Mapping[str, str], until: str | None) -> str:
    """What stands of an override, and until when."""
    changes = ", ".join(f"{name}={value}" for name, value in sorted(values.items()))
    return say(language, "leased_until" if until else "overridden", unit=unit, changes=changes, until=until)


def number(value: float | None, limit: float | None = None) -> str:
    """A figure as people read it: 0.0312, 12, 1.75; a dash for none.

    Beside its limit it has as many digits as show on which side of it the value lies.
    """
    if value is None:
        return "–"
    text = f"{value:.4g}" if abs(value) < 10000 else f"{value:.0f}"
    digits = 5
    while limit is not None and digits < 18 and _side(float(text), limit) != _side(value, limit):
        text = f"{value:.{digits}g}"
        digits += 1
    return text


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def recovery(language: str, numbers: dict) -> str:
    """The sentence behind a recovery verdict, from what wait_for_recovery returns as ``recovery``."""
    return say(
        language,
        numbers["reason"],
        metric=numbers["metric"],
        value=number(numbers["value"], numbers["threshold"]),
        limit=number(numbers["threshold"], numbers["threshold"]),
        count=number(numbers["count"], numbers["min_count"]),
        needed=numbers["min_count"],
        hold=number(numbers["hold_seconds"]),
    )

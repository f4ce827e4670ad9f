# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts say in an incident, in English and Ukrainian. Private to aurora.runbook.

What only the controller says is in plugin_utils/_texts.py, together with one lookup over all texts, because those texts
do not travel to hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LANGUAGES = ("en", "uk")

CATALOGUE = {
    # Why a recovery verdict is what it is
    "within": (
        "{metric} is {value}, within its limit of {limit} for {hold} s with {count} events",
        "{metric} = {value}, у межах {limit} протягом {hold} с, подій: {count}",
    ),
    "reopened": ("the circuit breaker opened again after the action", "circuit breaker знову відкрився після дії"),
    "still_breached": (
        "{metric} is {value}, still beyond its limit of {limit}",
        "{metric} = {value}, досі за межею {limit}",
    ),
    "silent": ("the metrics endpoint does not answer", "сторінка метрик не відповідає"),
    "malformed": (
        "the metrics page is not in the Prometheus text format, or {metric} is malformed or appears twice on it",
        "сторінка метрик не у форматі Prometheus, або {metric} на ній пошкоджено чи подано двічі",
    ),
    "no_data": ("{metric} is missing from the metrics", "{metric} немає в метриках"),
    "nan": ("{metric} is NaN", "{metric} = NaN"),
    "reset": (
        "the service restarted while it was watched, so its counters prove nothing",
        "під час спостереження сервіс перезапустився, тож його лічильники нічого не доводять",
    ),
    "too_few": (
        "only {count} of the {needed} events that are needed have happened since the action",
        "подій після дії лише {count} із потрібних {needed}",
    ),
    "too_short": (
        "the indicator is within its limit, but not yet for {hold} s",
        "у межах норми, але ще не протягом {hold} с",
    ),
    # Actions
    "needs_approval": (
        "{unit}: {changes} raises exposure and waits for a person's approval: -e aurora_approve={knobs}",
        "{unit}: {changes} збільшує ризик і чекає на схвалення людини: -e aurora_approve={knobs}",
    ),
    "restarted": (
        "{unit} was restarted ({problem}) and was healthy after {seconds} s",
        "{unit} перезапущено ({problem}), за {seconds} с він став справним",
    ),
    "started": (
        "{unit} was started (it was {state}) and was healthy after {seconds} s",
        "{unit} запущено (до того мав стан {state}), за {seconds} с він став справним",
    ),
    "came_up": (
        "{unit} was left alone because it was being started already; it was healthy after {seconds} s",
        "{unit} не чіпали, бо його вже запускали; за {seconds} с він став справним",
    ),
    "restart_because": ("{unit} would be restarted ({problem})", "{unit} було б перезапущено ({problem})"),
    "start_because": ("{unit} would be started (it is {state})", "{unit} було б запущено (зараз має стан {state})"),
    "systemd_at_it": (
        "{unit} is {state}: systemd is starting it already",
        "{unit} має стан {state}: systemd уже запускає його",
    ),
    "runs_already": ("{unit} is running already, so nothing was done", "{unit} уже працює, тож нічого не робили"),
    "restarted_lately": (
        "{unit} came up {seconds} s ago and is healthy, so it was not restarted again",
        "{unit} запущено {seconds} с тому, і він справний, тож ще раз його не перезапускали",
    ),
    "killed": (
        "{unit} did not stop within {seconds} s of SIGTERM and was killed",
        "{unit} не зупинився за {seconds} с після SIGTERM, тож його завершено примусово",
    ),
    "clients_back": (
        "{after} of {before} SSE clients reconnected",
        "знову підключилися SSE-клієнти: {after} з {before}",
    ),
    "clients_now": (
        "{after} SSE clients are connected; how many there were before is not known because the feed did not answer",
        "підключено SSE-клієнтів: {after}; скільки їх було раніше, невідомо, бо feed не відповідав",
    ),
    "clients_again": (
        "{after} SSE clients are connected; there were none before",
        "підключено SSE-клієнтів: {after}; до того не було жодного",
    ),
    "clients_unknown": (
        "there were {before} SSE clients; how many have reconnected is not known because the feed does not answer",
        "SSE-клієнтів було: {before}; скільки підключилося знову, невідомо, бо feed не відповідає",
    ),
    "clients_dropped": (
        "{before} SSE clients would be dropped once",
        "було б один раз від'єднано SSE-клієнтів: {before}",
    ),
    # Why a restart is refused
    "refused_not_loaded": (
        "{unit} is {load} on this host, but it has to be loaded: look at `systemctl status {unit}`",
        "{unit} на цьому хості має стан {load}, а мав би бути loaded: перевірте `systemctl status {unit}`",
    ),
    "refused_state": (
        "{unit} is {state}, and this version does not know that state: look at `systemctl status {unit}`",
        "{unit} має стан {state}, якого ця версія не знає: перевірте `systemctl status {unit}`",
    ),
    "refused_transient": (
        "{unit} is a transient unit: restart what created it",
        "{unit} тимчасовий (transient): перезапустіть те, що його створило",
    ),
    "refused_reload": (
        "{unit} was edited without daemon-reload, so a restart would not run what its files say: look at `systemctl cat"
        " {unit}`, then run `systemctl daemon-reload` yourself",
        "{unit} змінено без daemon-reload, тож після перезапуску він працював би не так, як кажуть його файли:"
        " перегляньте `systemctl cat {unit}`, потім самі виконайте `systemctl daemon-reload`",
    ),
    "refused_trader": (
        "{unit} trades: an open circuit breaker exists only in its memory, and a restart alone would close it;"
        " restart it together with a smaller KELLY_MULTIPLIER (service_override)",
        "{unit} торгує: відкритий circuit breaker існує лише в його пам'яті, і звичайний перезапуск закрив би його;"
        " перезапускайте з меншим KELLY_MULTIPLIER (service_override)",
    ),
    "refused_breaker": (
        "{unit} was not changed: its circuit breaker is open or half open ({state}) and exists only in memory, so"
        " the restart would close it; lower KELLY_MULTIPLIER together with this change or before it",
        "{unit} не змінено: circuit breaker ({state}) відкритий або напіввідкритий, існує лише в пам'яті, і"
        " перезапуск закрив би його; зменште KELLY_MULTIPLIER разом із цією зміною або до неї",
    ),
    "refused_not_closed": (
        "{unit} was not changed: its circuit breaker ({state}) is not known to be closed and exists only in memory,"
        " so the restart would close it if it is open; wait until it is closed, or use an account with all rights",
        "{unit} не змінено: невідомо, чи circuit breaker ({state}) закритий; він існує лише в пам'яті, і перезапуск"
        " закрив би його; зачекайте, доки він закриється, або скористайтеся обліковим записом з усіма правами",
    ),
    "breaker_not_read": (
        "{unit}: {url} does not say whether the circuit breaker is open; if it is open, the restart would close it",
        "{unit}: з {url} не видно, чи відкритий circuit breaker; якщо він відкритий, перезапуск закриє його",
    ),
    "breaker_would_close": (
        "{unit}: the circuit breaker is open or half open ({state}) and exists only in memory; giving back the"
        " change restarts the service and would close it",
        "{unit}: circuit breaker ({state}) відкритий або напіввідкритий та існує лише в пам'яті; щоб повернути"
        " зміну, треба перезапустити сервіс, а це закриє його",
    ),
    # What stands after a change that failed
    "stands_now": ("{unit} is now {state}, with {values}", "{unit} зараз має стан {state}, значення: {values}"),
    "stands_unread": (
        "{unit}: what runs now could not be read: {problem}",
        "{unit}: не вдалося прочитати, що працює зараз: {problem}",
    ),
    "breaker_now": (
        "{unit}: circuit_breaker_state is now {state} (0 CLOSED, 1 HALF_OPEN, 2 OPEN); before the change it was {was}",
        "{unit}: circuit_breaker_state зараз {state} (0 CLOSED, 1 HALF_OPEN, 2 OPEN), до зміни було {was}",
    ),
    "breaker_now_unread": (
        "{unit}: the state of the circuit breaker cannot be read now; before the change circuit_breaker_state was"
        " {was}",
        "{unit}: прочитати стан circuit breaker зараз не вдалося, до зміни circuit_breaker_state було {was}",
    ),
    "breaker_was_open": (
        "{unit}: ATTENTION: the circuit breaker was not closed before ({was}), and the restart closed it",
        "{unit}: УВАГА, до цього circuit breaker не був закритий ({was}), і перезапуск закрив його",
    ),
    "raise_stays_open": (
        "{unit}: {changes} did not help but stays for now, because the circuit breaker is open or half open"
        " ({state}) and taking the change back would restart the service and close it; the host takes the change"
        " back by itself once the circuit breaker is closed",
        "{unit}: {changes} не допомогло, але поки що лишається: circuit breaker відкритий або напіввідкритий"
        " ({state}), а скасування перезапустило б сервіс і закрило його; хост скасує це сам, щойно circuit breaker"
        " закриється",
    ),
    "refused_not_up": (
        "{unit} was being started already and did not come up: {problem}. Its journal says: {words}",
        "{unit} уже запускали, але він не піднявся: {problem}. У журналі: {words}",
    ),
    "refused_config": (
        "{unit} was not restarted because its configuration is broken: {message}",
        "{unit} не перезапущено, бо в його конфігурації помилка: {message}",
    ),
    # Why automation holds back
    "held": (
        "another run is working on this host: {by}, on {incident}, since {since}; nothing was changed",
        "тут уже працює інший запуск: {by}, інцидент {incident}, з {since}; нічого не змінено",
    ),
    "taken_over": (
        "the host was taken over from another run, {by}, which had worked here since {since}: {reason}",
        "хост перехоплено в іншого запуску ({by}), який працював тут з {since}: {reason}",
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
        "guard cooldown: {action} was done to {target} {ago} s ago and is repeated only after {limit} s: run this"
        " again in {minutes} min, or at once with -e aurora_force=REASON",
        "запобіжник cooldown: дію {action} для {target} виконано {ago} с тому, а повторити її можна лише через"
        " {limit} с: за {minutes} хв або одразу з -e aurora_force=ПРИЧИНА",
    ),
    "guard_per_hour": (
        "guard per_hour: {count} actions were taken on this host within an hour; the limit is {limit}: run this"
        " again in {minutes} min, or at once with -e aurora_force=REASON",
        "запобіжник per_hour: за годину на цьому хості виконано дій: {count}, дозволено {limit}; наступна можлива за"
        " {minutes} хв або одразу з -e aurora_force=ПРИЧИНА",
    ),
    "guard_per_day": (
        "guard per_day: {count} actions were taken on this host within a day; the limit is {limit}: run this again"
        " in {minutes} min, or at once with -e aurora_force=REASON",
        "запобіжник per_day: за добу на цьому хості виконано дій: {count}, дозволено {limit}; наступна можлива за"
        " {minutes} хв або одразу з -e aurora_force=ПРИЧИНА",
    ),
    "guard_ineffective": (
        "guard ineffective: the last {count} actions of this incident did not help on this host; the limit is"
        " {limit}: a person has to look first, and then run this again with -e aurora_force=REASON",
        "запобіжник ineffective: дії цього інциденту на цьому хості не допомогли стільки разів поспіль: {count},"
        " дозволено {limit}; спершу має подивитися людина, а потім запустіть ще раз з -e aurora_force=ПРИЧИНА",
    ),
    "guard_same_cure": (
        "guard same_cure: {action} was done to {target} {count} times within a day because of {cause} ({times}); the"
        " limit is {limit}: it does not last, so a person has to look first, and then run this again with -e"
        " aurora_force=REASON",
        "запобіжник same_cure: стільки разів за добу виконано дію {action} для {target} через {cause}: {count}"
        " ({times}), дозволено {limit}; надовго вона не допомагає, тож спершу має подивитися людина, а потім"
        " запустіть ще раз з -e aurora_force=ПРИЧИНА",
    ),
    "guard_min_healthy": (
        "guard min_healthy: {target} is not restarted because too few other hosts of its group are healthy,"
        " {healthy} of the {needed} that aurora_min_healthy asks for: run this again when more are healthy, or at"
        " once with -e aurora_force=REASON",
        "запобіжник min_healthy: {target} не перезапускають, бо інших справних хостів у групі {healthy}, а треба"
        " {needed} (aurora_min_healthy); запустіть ще раз, коли їх стане більше, або одразу з -e"
        " aurora_force=ПРИЧИНА",
    ),
    "guard_crash_loop": (
        "guard crash_loop: {target} ended by itself {count} times in {window} min; the limit is {limit}, and one"
        " more restart would not help: run this again in {minutes} min, or at once with -e aurora_force=REASON. Its"
        " journal says: {words}",
        "запобіжник crash_loop: {target} сам завершився стільки разів за {window} хв: {count}, дозволено {limit}; ще"
        " один перезапуск не допоможе; запустити знову можна за {minutes} хв або одразу з -e aurora_force=ПРИЧИНА. У"
        " журналі: {words}",
    ),
    "guard_restart_interval": (
        "guard restart_interval: automation restarted {target} {ago} s ago, and it is not healthy ({problem});"
        " another restart would drop clients again and is done only after {limit} s: run this again in {minutes}"
        " min, or at once with -e aurora_force=REASON",
        "запобіжник restart_interval: автоматика перезапустила {target} {ago} с тому, і він досі несправний"
        " ({problem}); ще один перезапуск знову від'єднав би клієнтів і можливий лише через {limit} с: за {minutes}"
        " хв або одразу з -e aurora_force=ПРИЧИНА",
    ),
    # Why an incident is over
    "closed_by_run": ("its indicator is within its limit again", "показник знову в межах норми"),
    "closed_by_hand": ("closed by {who}: {text}", "закрито вручну ({who}): {text}"),
    # What became of an action that was cut off
    "left_finished": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}); the action is finished now",
        "попередній запуск ({by}, {at}) обірвався під час дії {action} для {target} ({changes}): дію завершено",
    ),
    "left_undone": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}); the action is undone now",
        "попередній запуск ({by}, {at}) обірвався під час дії {action} для {target} ({changes}): дію скасовано",
    ),
    "left_open": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}), and the action is still to"
        " be judged: run aurora.runbook.{action} again",
        "попередній запуск ({by}, {at}) обірвався під час дії {action} для {target} ({changes}), яку ще не оцінено:"
        " запустіть aurora.runbook.{action} знову",
    ),
    "left_not_on_record": (
        "what became of the action is NOT on record, so no guard counts it: {problem}",
        "чим закінчилася дія, НЕ записано, тож жоден запобіжник її не врахує: {problem}",
    ),
    "left_unknown": (
        "an earlier run ({by}, {at}) was cut off during {action} of {target} ({changes}); how far the action came is"
        " not known, so look at it by hand",
        "попередній запуск ({by}, {at}) обірвався під час дії {action} для {target} ({changes}); як далеко зайшла"
        " дія, невідомо, тож перевірте це вручну",
    ),
    # Recalibration
    "would_refit": (
        "{model} would be refitted to the trades of {days:g} days",
        "{model} було б перекалібровано за угодами останніх {days:g} дн.",
    ),
    "would_judge": (
        "{model}: an earlier recalibration was cut off; the model that it left would be judged",
        "{model}: попереднє перекалібрування обірвалося; його модель треба оцінити",
    ),
    "refit": (
        "{model} was refitted ({way}): ECE {before} → {after}",
        "{model} перекалібровано ({way}): ECE {before} → {after}",
    ),
    "refit_no_change": (
        "{model}: a refit ({way}) ended without an error, but the file did not change",
        "{model}: перекалібрування ({way}) пройшло без помилки, але файл не змінився",
    ),
    "refit_judged": (
        "{model}: an earlier recalibration was cut off; the model that it left was judged: ECE {before} → {after}",
        "{model}: попереднє перекалібрування обірвалося; оцінено модель, яку воно лишило: ECE {before} → {after}",
    ),
    "refit_tried": (
        "this model was refitted to the trades of {days:g} days {age} h ago, and that did not make it better",
        "цю модель {age} год тому вже перекалібровано за угодами останніх {days:g} дн., але кращою вона не стала",
    ),
    "model_fresh": (
        "{model} was refitted {age} h ago and its ECE is within the limit, so it was left as it is",
        "{model} перекалібровано {age} год тому, і ECE в межах норми, тож модель не чіпали",
    ),
    "model_worse": (
        "{model}: the new model is worse, so the previous one was put back",
        "{model}: нова модель гірша, тож повернуто попередню",
    ),
    "model_worse_stays": (
        "{model}: the new model is worse, but the previous one could not be put back: {problem}",
        "{model}: нова модель гірша, а повернути попередню не вдалося: {problem}",
    ),
    "model_valid": ("calibration.validate(): {says}", "calibration.validate(): {says}"),
    "model_invalid": ("calibration.validate() failed: {says}", "перевірка calibration.validate() не пройшла: {says}"),
    "tcp_set": ("TCP: {changes}", "TCP: {changes}"),
    "tcp_would_set": ("TCP: these settings would be changed: {changes}", "TCP: було б змінено: {changes}"),
    "tcp_stands": (
        "TCP: every setting that has an effect on this host is already as wanted",
        "TCP: усі параметри, що діють на цьому хості, вже встановлено",
    ),
    "tcp_restored": ("TCP: these settings were given back: {changes}", "TCP: повернуто: {changes}"),
    "tcp_would_restore": ("TCP: these settings would be given back: {changes}", "TCP: було б повернуто: {changes}"),
    "tcp_ended": (
        "TCP: nothing of the tuning is in effect any more, so there is nothing to give back",
        "TCP: тимчасові зміни вже не діють, тож повертати нічого",
    ),
    "tcp_nothing": ("TCP: no setting is tuned", "TCP: тимчасових змін немає"),
    "sysctl_dead": ("{name} has had no effect since Linux {since}", "{name} не діє, починаючи з Linux {since}"),
    "sysctl_absent": (
        "{name} does not exist in this kernel or network namespace",
        "{name} немає в цьому ядрі чи мережевому просторі імен",
    ),
    "sysctl_edited": (
        "{name} is {now}, which somebody set after the tuning, so it was left alone",
        "{name} = {now}: це хтось змінив пізніше, тож залишено як є",
    ),
    # Ends of leases
    "lease_ends": (
        "{unit}: {changes} lasts until {until}; then the host gives it back by itself",
        "{unit}: {changes} діє до {until}, а тоді хост сам це поверне",
    ),
    "lease_would_end": (
        "{unit}: {changes} would last until {until}; then the host would give it back by itself",
        "{unit}: {changes} діяло б до {until}, а тоді хост сам би це повернув",
    ),
    "lease_renewed": (
        "{unit}: the lease was renewed: {changes} lasts until {until}; then the host gives it back by itself",
        "{unit}: строк тимчасової зміни подовжено: {changes} діє до {until}, а тоді хост сам це поверне",
    ),
    "gone_removed": (
        "{unit} is {state} on this host, so its override was removed ({changes}) without a restart; a process of the"
        " unit that still runs keeps the old value until it ends",
        "{unit} на цьому хості має стан {state}, тож зміну прибрано ({changes}) без перезапуску; його процес, який"
        " ще працює, зберігає старе значення, доки не завершиться",
    ),
    "gone_would_be_removed": (
        "{unit} is {state} on this host, so its override would be removed ({changes}) without a restart; a process"
        " of the unit that still runs would keep the old value until it ends",
        "{unit} на цьому хості має стан {state}, тож зміну було б прибрано ({changes}) без перезапуску; його процес,"
        " який ще працює, зберіг би старе значення, доки не завершиться",
    ),
    "lease_over": (
        "{unit}: the lease has ended, and this was given back: {changes}",
        "{unit}: строк тимчасової зміни минув, повернуто: {changes}",
    ),
    "lease_stays": (
        "{unit}: the lease has ended, but the change stays: {problem}",
        "{unit}: строк тимчасової зміни минув, але вона лишається: {problem}",
    ),
    "lease_kept": (
        "{unit}: the lease of {changes} has ended, but the change stays while {metric} is {value} (limit {limit}),"
        " because giving it back would raise exposure",
        "{unit}: строк зміни {changes} минув, але вона лишається, доки {metric} = {value} (межа {limit}), бо"
        " повернення збільшило б ризик",
    ),
    "lease_kept_breaker": (
        "{unit}: the lease of {changes} has ended, but the change stays while circuit_breaker_state is {state} (0"
        " CLOSED), because the restart would close an open circuit breaker",
        "{unit}: строк зміни {changes} минув, але вона лишається, доки circuit_breaker_state = {state} (0 CLOSED),"
        " бо перезапуск закрив би відкритий circuit breaker",
    ),
    "lease_end_failed": (
        "{unit}: the lease has ended, but giving back the change failed: {problem}",
        "{unit}: строк тимчасової зміни минув, а повернути її не вдалося: {problem}",
    ),
    "lease_was_lost": (
        "{unit}: the lease has ended; somebody had already removed the files of the override: {changes}",
        "{unit}: строк тимчасової зміни минув; її файли хтось видалив раніше: {changes}",
    ),
    "lease_lost": (
        "{unit}: somebody removed {path}, so the next restart would end the override; look at the host, then give"
        " the override back and apply it again",
        "{unit}: хтось видалив {path}, тож зміна зникне після наступного перезапуску; перевірте хост, потім"
        " поверніть зміну й застосуйте її знову",
    ),
    "lease_no_timer": (
        "{unit}: the lease will NOT end by itself, because aurora-runbook-leases.timer is {state}; run `systemctl"
        " enable --now aurora-runbook-leases.timer`, or apply the change again",
        "{unit}: хост сам НЕ поверне тимчасової зміни, бо aurora-runbook-leases.timer має стан {state}; виконайте"
        " `systemctl enable --now aurora-runbook-leases.timer` або застосуйте зміну знову",
    ),
    "until": ("{change} (until {until})", "{change} (до {until})"),
    "settle_finished": (
        "{unit}: an earlier run was cut off; this was finished: {changes}",
        "{unit}: попередній запуск обірвався; завершено: {changes}",
    ),
    "settle_undone": (
        "{unit}: an earlier run was cut off; this was undone because it raised exposure: {changes}",
        "{unit}: попередній запуск обірвався; скасовано, бо збільшувало ризик: {changes}",
    ),
    "settle_would_be_finished": (
        "{unit}: an earlier run was cut off; this would be finished: {changes}",
        "{unit}: попередній запуск обірвався; було б завершено: {changes}",
    ),
    "settle_would_be_undone": (
        "{unit}: an earlier run was cut off; this would be undone because it raises exposure: {changes}",
        "{unit}: попередній запуск обірвався; було б скасовано, бо збільшує ризик: {changes}",
    ),
    "settle_nothing": ("{unit}: no change was left unfinished", "{unit}: незавершених змін немає"),
    # Log rotation
    "log_freed": (
        "{directory}: {count} rotated files were removed and {mib} MiB freed; {percent} % of the disk is free now",
        "{directory}: видалено ротованих файлів: {count}, звільнено {mib} МіБ, тепер вільно {percent} % диска",
    ),
    "log_would_free": (
        "{directory}: {count} rotated files would be removed and {mib} MiB freed",
        "{directory}: було б видалено ротованих файлів: {count}, звільнено {mib} МіБ",
    ),
    "log_little": (
        "{directory}: only {percent} % of the disk is free and {wanted} % is wanted, but the newest {keep} rotated"
        " files of each log are kept; make room by hand",
        "{directory}: вільно {percent} % диска з бажаних {wanted} %, а {keep} найновіших ротованих файлів кожного"
        " логу лишаються; звільніть місце вручну",
    ),
    "log_rotated": ("these logs were rotated by {method}: {logs}", "ротовано за допомогою {method}: {logs}"),
    "log_lost": (
        "{log} IS GONE: after the rotation its lines are in no file of {directory}; find out where the rotation put"
        " them, and correct it before it runs again",
        "{log} ЗНИК: після ротації його рядків немає в жодному файлі {directory}; з'ясуйте, куди вона їх поділа, і"
        " виправте її до наступного запуску",
    ),
    "log_unnamed": (
        "nothing rotates {log} on this host: {config} does not name it",
        "{log} на цьому хості ніщо не ротує: його не вказано в {config}",
    ),
    "log_complaint": (
        "every log was rotated, but there was a complaint: {problem}; what needs root in the scripts of the rotation"
        " was not done",
        "усі логи ротовано, але є зауваження: {problem}; того, що у скриптах ротації потребує root, не виконано",
    ),
    "log_would_rotate": (
        "these logs would be rotated by {method}: {logs}",
        "було б ротовано за допомогою {method}: {logs}",
    ),
    "log_would_tell": (
        "{unit} would be told to leave {file}, which was rotated earlier",
        "{unit} перестав би писати в {file}, ротований раніше",
    ),
    "log_reopened_itself": (
        "{unit} opened the new {log} by itself or because of the rotation",
        "{unit} відкрив новий {log} сам або через ротацію",
    ),
    "log_reopened_reload": ("{unit} opened the new {log} on reload", "{unit} відкрив новий {log} після reload"),
    "log_reopened_restart": (
        "{unit} opened the new {log} after a restart",
        "{unit} відкрив новий {log} після перезапуску",
    ),
    "log_closed": (
        "{unit} no longer writes into the rotated {log} and has not opened the new one yet",
        "{unit} більше не пише в ротований {log} і ще не відкрив нового",
    ),
    "log_still_behind": (
        "{unit} STILL WRITES into the rotated {log}: restart it when that is safe and before the next rotation",
        "{unit} ДОСІ ПИШЕ в ротований {log}: перезапустіть його, коли це безпечно, до наступної ротації",
    ),
    "log_behind": (
        "not rotated: {writer} still writes into {file}, which was rotated earlier, and may not be restarted;"
        " another rotation would lose its lines",
        "не ротовано: {writer} досі пише в {file} після попередньої ротації, а перезапускати його не дозволено; нова"
        " ротація втратила б його рядки",
    ),
    "log_untellable": (
        "not rotated: {writer} writes into {log}; it cannot be told to open the new file (its unit has no"
        " ExecReload), and it may not be restarted without a person",
        "не ротовано: {writer} пише в {log}, і йому не можна ні наказати відкрити новий (юніт не має ExecReload), ні"
        " перезапустити його без людини",
    ),
    "log_no_room": (
        "not rotated: the rotation may need {need} MiB, and {free} MiB and {inodes} inodes are free",
        "не ротовано: може знадобитися {need} МіБ, а вільно {free} МіБ і {inodes} inode",
    ),
    "log_no_way": ("not rotated: {reason}", "не ротовано: {reason}"),
    "log_odd": ("not rotated: {log} is {reason}", "не ротовано: {log} — це {reason}"),
    "log_recent": (
        "there is nothing to rotate: every log is empty or was rotated in the last {seconds} s",
        "ротувати нічого: кожен лог порожній або ротований за останні {seconds} с",
    ),
    # Evidence of a cause
    "no_cause": ("nothing that was looked at explains the trouble", "ніщо з переглянутого цього не пояснює"),
    "why_share": (
        "{percent} % of the last {denials} denials say {code}",
        "{percent} % останніх відмов ({denials}): {code}",
    ),
    "exchange_limits": (
        "the exchange answers {status} and takes no requests from us for now (Retry-After: {retry})",
        "біржа відповідає {status} і поки що не приймає наших запитів (Retry-After: {retry})",
    ),
    "exchange_answers": (
        "the exchange answers {status} (Retry-After: {retry})",
        "біржа відповідає {status} (Retry-After: {retry})",
    ),
    "exchange_silent": (
        "the exchange does not answer, although its host does: {problem}",
        "біржа не відповідає, хоча її хост озивається: {problem}",
    ),
    "exchange_unanswered": (
        "the exchange could not be asked, and the reason is not clear: {problem}",
        "запитати біржу не вдається, причина неясна: {problem}",
    ),
    "address_dead": (
        "the name leads to addresses that take no connection: {addresses}; another address of the name does take one",
        "ім'я веде й на адреси, що не приймають з'єднань: {addresses}; інша адреса цього імені приймає",
    ),
    "exchange_slow": (
        "the exchange took {ms} ms to return its status page; the limit is {limit} ms",
        "біржа віддавала сторінку стану {ms} мс, а межа — {limit} мс",
    ),
    "orders_wait": (
        "the p99 of orders is {p99} ms, while the exchange answers a single request in {ms} ms: the orders wait for"
        " each other",
        "p99 ордерів — {p99} мс, хоча на окремий запит біржа відповідає за {ms} мс: ордери чекають один на одного",
    ),
    "packets_lost": (
        "the network lost {lost} of {sent} pings to {host}",
        "мережа втратила {lost} з {sent} пакетів ping до {host}",
    ),
    "exchange_gone": (
        "the exchange answers neither HTTP nor ping: {problem}",
        "біржа не відповідає ні на HTTP, ні на ping: {problem}",
    ),
    "ece_high": ("calibration_ece is {value}; the limit is {limit}", "calibration_ece = {value}, межа {limit}"),
    "nginx_says": ("nginx -t: {message}", "nginx -t: {message}"),
    "certificate_says": ("certificate: {problem}", "сертифікат: {problem}"),
    "dns_says": ("DNS: {problem}", "DNS: {problem}"),
    "disk_says": ("{path}: {what} is {percent} %", "{path}: {what} = {percent} %"),
    "cpu_says": (
        "the CPU is {busy} % busy; most of that is {name} (pid {pid}, {cpu_percent} % of a core)",
        "CPU зайнятий на {busy} %, найбільше його займає {name} (pid {pid}, {cpu_percent} % ядра)",
    ),
    "cpu_says_elsewhere": (
        "the CPU is {busy} % busy, and processes of this host take {own} %: see what else runs on the same machine",
        "CPU зайнятий на {busy} %, з них процесами цього хоста {own} %: перевірте, що ще працює на тій самій машині",
    ),
    "cpu_waits": (
        "the runner waits for a core {waiting} % of the time, while {name} (pid {pid}) takes {cpu_percent} % of a core",
        "runner чекає на ядро {waiting} % часу, а {name} (pid {pid}) займає {cpu_percent} % ядра",
    ),
    "iostat_says": ("disk {name} is {util} % busy", "диск {name} зайнятий на {util} %"),
    "unit_down": (
        "{unit} is {state}, crashes in the last 5 min: {restarts}",
        "{unit}: {state}, збоїв за останні 5 хв: {restarts}",
    ),
    "healthz_says": ("{unit} is running, but /healthz says: {problem}", "{unit} працює, а /healthz каже: {problem}"),
    "page_says": (
        "{unit} is running, but its metrics cannot be read: {problem}",
        "{unit} працює, але його метрики прочитати не вдається: {problem}",
    ),
    "memory_killed": (
        "{unit} was killed because of its memory ({kills} times lately); its limit is {limit} MiB",
        "{unit} завершено примусово через брак пам'яті (останнім часом таких випадків: {kills}), його межа {limit} МіБ",
    ),
    "quota_says": (
        "{unit} uses {percent} % of a core, and its CPUQuota is {quota} %",
        "{unit} займає {percent} % ядра, а його CPUQuota — {quota} %",
    ),
    "quota_holds": (
        "{unit} uses {percent} % of a core, and its CPUQuota of {quota} % holds it back {held} % of the time",
        "{unit} займає {percent} % ядра, а CPUQuota {quota} % стримує його {held} % часу",
    ),
    "outside_says": ("seen from outside, {link}: {problem}", "ззовні, {link}: {problem}"),
    "one_observer": (
        "only {observer} saw this, and the host itself serves: look from a second place as well",
        "це бачив лише {observer}, а на самому хості все відповідає: перевірте ще з одного місця",
    ),
    "observer_cut_off": (
        "{observer} reaches none of the {hosts} hosts and fails in the same way on each, while this one serves"
        " {clients} clients: look at the network of {observer} first",
        "{observer} не дістається до жодного з хостів ({hosts}) і щоразу з тією самою помилкою, а цей хост"
        " обслуговує клієнтів ({clients}): спершу перевірте мережу самого {observer}",
    ),
    "in_doubt": (
        "the observer outside is itself cut off from the network",
        "спостерігач ззовні сам відрізаний від мережі",
    ),
    "way_whole": ("{url} is served from outside", "ззовні {url} відповідає"),
    "firewall_closed": (
        "port {port} is closed from outside, because the firewall of this host does not let it in: {rule}",
        "порт {port} ззовні закритий, firewall цього хоста його не пропускає: {rule}",
    ),
    "no_way_in_unsure": (
        "port {port} does not answer from outside ({problem}), although nginx and the feed answer on the host;"
        " whether the firewall of the host closes the port is not known: {rule}",
        "порт {port} ззовні не відповідає ({problem}); на хості nginx і feed працюють, а чи закриває його firewall,"
        " визначити не вдалося: {rule}",
    ),
    "no_way_in": (
        "port {port} does not answer from outside ({problem}), although nginx and the feed answer on the host and"
        " its firewall does not close the port",
        "порт {port} ззовні не відповідає ({problem}); на хості nginx і feed працюють, і firewall його не закриває",
    ),
    "memory_says": ("{unit} uses {mib} of {limit} MiB", "{unit} займає {mib} з {limit} МіБ"),
    "trades_stale": (
        "the newest trade is {age} h old; the limit is {limit} h",
        "найновіша угода була {age} год тому, а межа — {limit} год",
    ),
    "trades_malformed": (
        "{percent} % of the last {lines} lines are no trades; the limit is {limit:g} %",
        "{percent} % з останніх рядків ({lines}) — не угоди, межа {limit:g} %",
    ),
    "trades_few": (
        "there are only {count} trades in {days:g} days; {needed} are needed",
        "угод за {days:g} дн. лише {count}, а потрібно {needed}",
    ),
    "trades_ahead": (
        "{percent} % of the last {lines} trades are later than the clock of this host: check the clock first",
        "{percent} % з останніх угод ({lines}) новіші за годинник цього хоста: спершу перевірте годинник",
    ),
    # Summary of a triage
    "nothing_breached": (
        "every indicator that could be read is within its limit",
        "жоден із прочитаних показників не вийшов за межу",
    ),
    "breached": ("{severity}: {metric} is {value}, limit {limit}", "{severity}: {metric} = {value}, межа {limit}"),
    "half_open": (
        "{metric} is {value}: the circuit breaker is half open (HALF_OPEN) and only trying, which is not recovered",
        "{metric} = {value}: circuit breaker напіввідкритий (HALF_OPEN) і лише пробує, це ще не відновлення",
    ),
    "not_known": ("not known: {metric}: {reason}", "невідомо: {metric}: {reason}"),
    "stale_samples": (
        "the data that Prometheus has for it is old or missing: {reason}",
        "дані Prometheus про це застарілі, або їх немає: {reason}",
    ),
    "unclear_answer": (
        "the answer of Prometheus cannot be used: {reason}",
        "відповідь Prometheus непридатна: {reason}",
    ),
    "few_events": ("there are too few events in the sample", "замало подій у вибірці"),
    "cause_is": ("likely cause: {cause}: {evidence}", "імовірна причина: {cause}: {evidence}"),
    "probe_failed": ("could not check {probe}: {problem}", "не вдалося перевірити: {probe}: {problem}"),
    "leased": (
        "overridden since {granted} by {by}: {unit} {changes}",
        "діє тимчасова зміна з {granted} ({by}): {unit} {changes}",
    ),
    "lease_unfinished": (
        "an override of {unit} was left unfinished; the next remediation or revert finishes it",
        "зміну {unit} не завершено; її завершить наступне усунення інциденту або revert",
    ),
    "incident_open": (
        "incident {id} ({severity}) has been open for {minutes} min; acknowledged by: {by}",
        "відкритий інцидент {id}, {severity}, триває {minutes} хв, хто підтвердив: {by}",
    ),
    "not_on_record": ("how it ended is NOT on record: {problem}", "чим це закінчилося, НЕ записано: {problem}"),
    "nobody": ("nobody", "ніхто"),
    "chain_broken": (
        "the record of {id} was changed after it was written: {problem}",
        "запис {id} змінено після того, як його зроблено: {problem}",
    ),
    "claimed": (
        "a run is working on this host: {by}, on {incident}, since {since}",
        "тут працює запуск: {by}, інцидент {incident}, з {since}",
    ),
    "cut_off": (
        "{action} of {target} was cut off at {at} ({by}), and nobody has said yet what became of it",
        "дію {action} для {target} обірвано ({at}, {by}), і чим це закінчилося, ще ніхто не з'ясував",
    ),
    "paused_until": ("automation is paused here until {until}", "автоматику тут призупинено до {until}"),
    "paused_for_good": (
        "automation is paused here until somebody removes /var/lib/aurora-runbook/pause",
        "автоматику тут призупинено, поки хтось не видалить /var/lib/aurora-runbook/pause",
    ),
    # What the program on a host tells an engineer there
    "status_version": ("aurora.runbook {version} on this host", "aurora.runbook {version} на цьому хості"),
    "status_timer": ("the timer that ends leases is {state}", "таймер, що повертає тимчасові зміни: {state}"),
    "status_no_timer": (
        "no lease has an end, so no timer is needed",
        "жодна тимчасова зміна не має строку, тому таймер не потрібен",
    ),
    "status_quiet": (
        "nothing is leased, open or paused here, and no run is working here",
        "тут немає тимчасових змін, відкритих інцидентів і паузи, і жоден запуск тут не працює",
    ),
    "status_unread": (
        "NOT KNOWN, because it could not be read: {problem}",
        "НЕВІДОМО, бо прочитати не вдалося: {problem}",
    ),
    # Pages
    "notified": ("notified: {channels}", "повідомлено: {channels}"),
    "would_notify": ("would be notified: {channels}", "було б повідомлено: {channels}"),
    "not_notified": ("{channel} could not be notified: {problem}", "не вдалося повідомити {channel}: {problem}"),
    "nobody_notified": (
        "NOBODY WAS NOTIFIED: every channel failed; call somebody by hand",
        "НІКОГО НЕ ПОВІДОМЛЕНО: жоден канал не спрацював, зателефонуйте комусь самі",
    ),
    "apprise_too_old": (
        "Apprise {found} is too old: run pip install 'apprise>={needed}' where the playbook runs",
        "Apprise {found} застарілий: виконайте pip install 'apprise>={needed}' там, де працює плейбук",
    ),
    "no_channels": (
        "NOBODY WAS NOTIFIED: no channel is named for this level (aurora_contacts)",
        "НІКОГО НЕ ПОВІДОМЛЕНО: для цього рівня не задано каналів (aurora_contacts)",
    ),
    # Silences
    "silenced": ("{alert} of {hosts} is silenced until {until}", "{alert} для {hosts} приглушено до {until}"),
    "would_silence": (
        "would silence {alert} of {hosts} until {until}",
        "{alert} для {hosts} було б приглушено до {until}",
    ),
    "silence_stands": (
        "{alert} of {hosts} is already silenced until {until}",
        "{alert} для {hosts} вже приглушено до {until}",
    ),
    "silence_matches_none": (
        "NOTHING IS SILENCED: Alertmanager has no {alert} whose label {label} means {hosts}; an alert that already"
        " fires goes on to notify people (the silence lasts until {until}); check aurora_prometheus_instance",
        "НІЧОГО НЕ ПРИГЛУШЕНО: в Alertmanager немає алерту {alert}, мітка {label} якого означає {hosts}; алерт, який"
        " уже лунає, лунатиме далі (приглушення діє до {until}); перевірте aurora_prometheus_instance",
    ),
    "silence_unknown": (
        "the silence of {alert} of {hosts} lasts until {until}; Alertmanager did not say whether it matches an alert",
        "приглушення {alert} для {hosts} діє до {until}; Alertmanager не сказав, чи охоплює воно хоч один алерт",
    ),
    "silence_matches": ("alerts that it matches: {count}", "алертів, які воно охоплює: {count}"),
    "unsilenced": ("silences of {incident} that were ended: {count}", "знято приглушень для {incident}: {count}"),
    "would_unsilence": (
        "silences of {incident} that would end: {count}",
        "було б знято приглушень для {incident}: {count}",
    ),
    "nothing_silenced": ("nothing is silenced for {incident}", "для {incident} нічого не приглушено"),
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
    """A message of the catalogue. Values are inserted as they are: they are data, never templates.

    ``language`` is one of LANGUAGES. On AWX it is followed by ON_AWX; then the next step names a template of AWX
    instead of a command.
    """
    return text_of(language, key, CATALOGUE).format(**values)


def text_of(language: str, key: str, catalogue: Mapping[str, tuple[str, str]]) -> str:
    """A message with the names of its values in their places."""
    place, on_awx = LANGUAGES.index(language.removesuffix(ON_AWX)), language.endswith(ON_AWX)
    text = catalogue[f"{key}{ON_AWX}" if on_awx and f"{key}{ON_AWX}" in catalogue else key][place]
    for command, launched in _LAUNCHED if on_awx else ():
        text = re.sub(command, launched[place], text)
    return text


def sentence(key: str, **values: object) -> dict:
    """A message as modules return it, so that the controller can show it in another language."""
    return {"message": key, "values": values, "text": say("en", key, **values)}


def bare(said: dict) -> dict:
    """A sentence without its text, as a record keeps it, to be shown in the language of the reader."""
    return {"message": said["message"], "values": said["values"]}


def changes(steps: Iterable[Mapping]) -> str:
    """The steps of a change in a form for any language: KELLY_MULTIPLIER 1.0 → 0.5."""
    return ", ".join(f"{step.get('name')} {step.get('before')} → {step.get('after')}" for step in steps)


def number(value: float | None, limit: float | None = None) -> str:
    """A figure as people read it: 0.0312, 12, 1.75; a dash for none.

    With a ``limit`` it has enough digits to show on which side of the limit the value lies.
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
    """The sentence for a recovery verdict, from what wait_for_recovery returns as ``recovery``."""
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

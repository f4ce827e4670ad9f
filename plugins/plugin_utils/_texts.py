# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the controller says in an incident, in English and Ukrainian. Private to aurora.runbook; controller only.

What hosts say is in their own catalogue. The lookup here covers both, because a report repeats what hosts said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages

OWN = {
    # Verdicts
    "healthy": ("healthy: nothing to do", "справний: робити нічого не треба"),
    "recovered": ("RECOVERED", "ВІДНОВЛЕНО"),
    "not_recovered": ("NOT RECOVERED", "НЕ ВІДНОВЛЕНО"),
    "unknown": ("UNKNOWN, which is not OK", "НЕВІДОМО, а це не означає «все гаразд»"),
    "approval_needed": ("WAITS FOR APPROVAL", "ЧЕКАЄ СХВАЛЕННЯ"),
    "escalated": ("ESCALATED", "ЕСКАЛЬОВАНО"),
    "refused": ("REFUSED, nothing was changed", "ВІДМОВЛЕНО, нічого не змінено"),
    "would_change": ("would change (check mode)", "було б змінено (пробний запуск)"),
    # What a change does to exposure
    "reduces": ("reduces", "зменшує ризик"),
    "neutral": ("does not change", "не змінює ризику"),
    "increases": ("increases", "збільшує ризик"),
    # What became of an override
    "set": ("{unit}: {changes} ({direction} exposure)", "{unit}: {changes} ({direction})"),
    "would_set": (
        "{unit}: {changes} would be set ({direction} exposure)",
        "{unit}: було б змінено {changes} ({direction})",
    ),
    "would_restore": ("{unit}: {changes} would be given back", "{unit}: було б повернуто {changes}"),
    "unchanged": (
        "{unit}: {changes} is set already, so nothing was restarted",
        "{unit}: {changes} вже діє, тож нічого не перезапускали",
    ),
    "kept": (
        "{unit}: {name} stays at {before} because {after} would raise exposure",
        "{unit}: {name} лишається {before}, бо {after} збільшило б ризик",
    ),
    "taken_back": (
        "{unit}: taken back because it did not help: {changes}",
        "{unit}: скасовано, бо не допомогло: {changes}",
    ),
    "restored": ("{unit}: given back: {changes}", "{unit}: повернуто: {changes}"),
    "nothing_leased": ("{unit}: nothing is overridden", "{unit}: тимчасових змін немає"),
    "needs_approval@awx": (
        "{unit}: {changes} raises exposure and waits for a person's approval: {knobs}",
        "{unit}: {changes} збільшує ризик і чекає на схвалення людини: {knobs}",
    ),
    "overridden": ("{unit} is overridden: {changes}", "{unit}: діє тимчасова зміна {changes}"),
    "leased_until": (
        "{unit} is overridden: {changes}; the host gives the first of it back by itself at {until}",
        "{unit}: діє тимчасова зміна {changes}; найближчий строк мине {until}, і хост поверне це сам",
    ),
    "limit_kept": (
        "{unit}: {name} stays at {before} because {after} would be less",
        "{unit}: {name} лишається {before}, бо {after} було б менше",
    ),
    "unset": ("(unset)", "(не задано)"),
    "unlimited": ("unlimited", "без обмеження"),
    # While a run waits on a host
    "waits": (
        "{host}: still waiting for {what}: {seconds} s by now, {most} s at most",
        "{host}: досі чекаю на {what}: вже {seconds} с, щонайбільше {most} с",
    ),
    "waits_open": (
        "{host}: still waiting for {what}: {seconds} s by now",
        "{host}: досі чекаю на {what}: вже {seconds} с",
    ),
    "waits_alone": ("{metric} to recover", "відновлення {metric}"),
    "waits_recovery": ("{module} and then {metric} to recover", "{module}, а тоді на відновлення {metric}"),
    # What the output of a run says of its steps (plugins/callback/brief.py)
    "step_ok": ("ok", "гаразд"),
    "step_changed": ("changed", "змінено"),
    "step_skipped": ("skipped", "пропущено"),
    "step_ignored": ("failed, and the run goes on: {problem}", "не вдалося, запуск триває далі: {problem}"),
    "step_again": ("not yet, so once more", "ще ні, тож ще одна спроба"),
    "step_runs": ("still at work", "ще виконується"),
    "step_hidden": ("(hidden, since it may hold a secret)", "(приховано: тут може бути секрет)"),
    "run_failed": ("What failed:", "Що не вдалося:"),
    "run_of_none": (
        "no host was asked anything: the inventory has none that this is about",
        "жоден хост не опитано: в inventory немає хостів, яких це стосується",
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
    "looked_badly": ("could not check the host: {problem}", "подивитися на хост не вдалося: {problem}"),
    "not_reached": ("the host was not reached in this run", "у цьому запуску до нього не дісталися"),
    "why_unfinished": (
        "an earlier run left an override of {units} unfinished, and that is settled first",
        "попередній запуск лишив зміну {units} незавершеною; спершу її буде доведено до ладу",
    ),
    "why_healthy": ("{metric} is {value}, limit {limit}", "{metric} = {value}, межа {limit}"),
    "failed": ("failed: {problem}", "не вдалося: {problem}"),
    "silence_failed": (
        "the alert could not be silenced and goes on to notify people: {problem}",
        "алерт не вдалося приглушити, тож він лунатиме далі: {problem}",
    ),
    "recorded_open": ("incident {id} stays open", "інцидент {id} лишається відкритим"),
    "recorded_closed": ("incident {id} is closed", "інцидент {id} закрито"),
    "loss_stays": (
        "the incident was not closed as recovered: the network lost packets to the exchange, and less activity does"
        " not cure that",
        "інцидент не закрито як відновлений: мережа губила пакети до біржі, а менша активність цього не усуне",
    ),
    "not_tried": (
        "left as it is because an earlier host did not recover",
        "не чіпали, бо попередній хост не відновився",
    ),
    "no_procedure": (
        "the runbook has no procedure for this incident, so nothing was changed",
        "у runbook немає процедури для цього інциденту, тож нічого не змінено",
    ),
    "only_looked": (
        "this run only looked (aurora_autonomy=observe)",
        "цей запуск лише подивився (aurora_autonomy=observe)",
    ),
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
        "escalate to L2: every step that is safe without a person was taken; look at the cause above",
        "ескалювати на L2: усі кроки, безпечні без людини, вже зроблено; причину названо вище",
    ),
    "next_held": (
        "wait until that run has ended, then run this again: it does what is left to do",
        "дочекатися, доки той запуск завершиться, і запустити ще раз: буде зроблено те, що лишилося",
    ),
    "next_paused": (
        "ask who paused it; to end the pause: ansible {host} -b -m aurora.runbook.incident -a state=resumed",
        "запитати, хто поставив паузу; щоб зняти її: ansible {host} -b -m aurora.runbook.incident -a state=resumed",
    ),
    "next_later": (
        "run this again in {minutes} min, when the guard above allows it; if it cannot wait, escalate to L2",
        "запустити ще раз за {minutes} хв, коли запобіжник вище дозволить; якщо чекати не можна, ескалювати на L2",
    ),
    "next_refused": (
        "escalate to L2: a person has to decide about what was refused above",
        "ескалювати на L2: щодо того, у чому відмовлено вище, має вирішити людина",
    ),
    # What a person does next, by the cause that no rung cures
    "mend_feed_crash_loop": (
        "correct what the feed's journal complains about, then run this again; the feed was not restarted again",
        "виправити те, на що скаржиться журнал feed, і запустити ще раз; його більше не перезапускали",
    ),
    "mend_runner_down": (
        "nothing trades here: find out why the runner ended (journalctl -u with the unit named above), then start it"
        " by hand; automation did not start it, because it would come up at full activity with its circuit breaker"
        " closed",
        "тут ніщо не торгує: з'ясувати, чому runner завершився (journalctl -u з юнітом, названим вище), потім"
        " запустити його вручну; автоматика його не запускала, бо він піднявся б на повній активності із закритим"
        " circuit breaker",
    ),
    "mend_runner_crash_loop": (
        "nothing trades here: correct what the runner's journal complains about (journalctl -u with the unit named"
        " above); automation did not restart it, because one more restart would not help",
        "тут ніщо не торгує: виправити те, на що скаржиться журнал runner (journalctl -u з юнітом, названим вище);"
        " його не перезапускали, бо ще один перезапуск не допоміг би",
    ),
    "mend_runner_hung": (
        "look whether the runner still trades: open orders at the exchange, its journal, its metrics page;"
        " automation did not restart it, because an open circuit breaker exists only in its memory",
        "перевірити, чи runner ще торгує: відкриті ордери на біржі, його журнал, сторінка метрик; його не"
        " перезапускали, бо відкритий circuit breaker існує лише в його пам'яті",
    ),
    "mend_runner_starting": (
        "the runner is still starting: see that it comes up, then run this again",
        "runner лише запускається: переконатися, що він піднявся, і запустити ще раз",
    ),
    "mend_runner_stopping": (
        "the runner is stopping: ask who or what stops it; when it has ended, run this again",
        "runner зупиняється: з'ясувати, хто або що його зупиняє; коли він завершиться, запустити ще раз",
    ),
    "mend_nginx_config": (
        "correct the line that nginx names, check it with nginx -t, then run this again; nginx was not reloaded",
        "виправити рядок, який називає nginx, перевірити командою nginx -t і запустити ще раз; конфігурацію nginx не"
        " перечитував",
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
        "let clients in again (ufw status, ufw allow 443/tcp); nothing was restarted",
        "знову впустити клієнтів (ufw status, ufw allow 443/tcp); нічого не перезапускали",
    ),
    "mend_packet_loss": (
        "ask the provider of the network: packets are lost on the way to the exchange (mtr -n shows where); TCP was"
        " not tuned because of it, and reduced activity stays reduced",
        "звернутися до провайдера мережі: дорогою до біржі губляться пакети (mtr -n покаже де); TCP через це не"
        " змінювали, а знижена активність лишається",
    ),
    "mend_partition": (
        "ask the people who run the network: packets are lost on the way; nothing was restarted because of it",
        "звернутися до мережевих інженерів: пакети губляться дорогою; через це нічого не перезапускали",
    ),
    "mend_stale_trades": (
        "find out why trades.jsonl gets no new trades; the model is not fitted to old ones",
        "з'ясувати, чому в trades.jsonl немає нових угод; за старими угодами модель не калібрують",
    ),
    "mend_malformed_trades": (
        "find out what writes broken lines into trades.jsonl; the model is not fitted to them",
        "з'ясувати, що пише пошкоджені рядки в trades.jsonl; за такими даними модель не калібрують",
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
        "ask the exchange's support and look at its status page; nothing on this host makes the exchange faster",
        "звернутися до підтримки біржі, переглянути її сторінку стану; локально прискорити її не можна",
    ),
    "mend_exchange_down": (
        "look at the exchange's status page and ask its support: the exchange is out of order; reduced activity"
        " stays reduced",
        "переглянути сторінку стану біржі й звернутися до її підтримки: біржа несправна; знижена активність лишається",
    ),
    "mend_rate_limit": (
        "ask the exchange for a higher limit, or leave the lower frequency in place",
        "попросити в біржі вищий ліміт запитів або лишити нижчу частоту",
    ),
    "next_unknown": (
        "check by hand whether the host trades, then run this again; unknown is not recovered",
        "перевірити вручну, чи йде на хості торгівля, і запустити ще раз; «невідомо» не означає «відновлено»",
    ),
    "better_placed": (
        "{other} is closer to the exchange, with a round trip of {best} ms instead of {own} ms; consider trading"
        " from there",
        "{other} ближче до біржі: {best} мс проти {own} мс туди й назад; варто торгувати звідти",
    ),
    "none_better_placed": (
        "no host of this run is closer to the exchange (round trip {own} ms); another region or zone may be",
        "жоден хост цього запуску не ближчий до біржі ({own} мс туди й назад); можливо, інший регіон чи зона",
    ),
    "next_remediate": (
        "repair: ansible-playbook aurora.runbook.remediate_{incident} --limit {host}",
        "усунути: ansible-playbook aurora.runbook.remediate_{incident} --limit {host}",
    ),
    "next_revert_again": (
        "look at the reason, then: ansible-playbook aurora.runbook.revert --limit {host}",
        "з'ясувати причину, потім: ansible-playbook aurora.runbook.revert --limit {host}",
    ),
    "next_run": ("run this without check mode", "виконати звичайний запуск замість пробного"),
    # Pages
    "tried": ("{action} of {target}, {changes}: {ended}", "{action} для {target}, {changes}: {ended}"),
    "tried_in_vain": (
        "{action} of {target}, {changes}: {ended}: {problem}",
        "{action} для {target}, {changes}: {ended}: {problem}",
    ),
    "no_result": ("no result yet", "результату ще немає"),
    "page_title": (
        "{severity} {level} {incident}: {hosts}, open for {age}",
        "{severity} {level} {incident}: {hosts}, триває {age}",
    ),
    "page_head_first": ("{id}: {severity}, open for {age}", "{id}: {severity}, триває {age}"),
    "page_head_later": (
        "{id}: {severity}, unresolved for {age}; {level} takes over after {limit}",
        "{id}: {severity}, не усунено вже {age}, а {level} долучається після {limit}",
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
        "НІХТО НЕ ПІДТВЕРДИВ: строк {limit} минув {time} тому",
    ),
    "resolve_due": ("to be resolved within {limit}: {time} left", "усунути протягом {limit}: лишилося {time}"),
    "resolve_missed": (
        "NOT RESOLVED IN TIME: the {limit} ended {time} ago",
        "НЕ УСУНЕНО ВЧАСНО: строк {limit} минув {time} тому",
    ),
    "page_next_L1": (
        "acknowledge the incident, look at the diagnosis, apply the known fixes; L2 takes over 30 min after the"
        " trouble began",
        "підтвердити інцидент, переглянути діагностику, застосувати відомі дії; через 30 хв від початку проблеми"
        " долучається L2",
    ),
    "page_next_L2": (
        "analyse the incident in depth, review code, change infrastructure, coordinate with the business; L3 takes"
        " over 2 h after the trouble began",
        "проаналізувати інцидент глибше, переглянути код, змінити інфраструктуру, узгодити з бізнесом; через 2 год"
        " від початку проблеми долучається L3",
    ),
    "page_next_L3": (
        "decide on strategy and people, inform stakeholders, plan the post-mortem; L4 takes over 4 h after the"
        " trouble began",
        "ухвалити стратегічні рішення, розподілити людей, повідомити зацікавлених осіб, спланувати post-mortem;"
        " через 4 год від початку проблеми долучається L4",
    ),
    "page_next_L4": (
        "assess the business impact, manage the crisis, speak for the company outside, plan the recovery",
        "оцінити вплив на бізнес, керувати кризою, вести зовнішню комунікацію, спланувати відновлення",
    ),
    "page_look": (
        "look: ansible-playbook aurora.runbook.triage --limit {hosts}; repair: aurora.runbook.remediate_{incident}",
        "подивитися: ansible-playbook aurora.runbook.triage --limit {hosts}; усунути: "
        "aurora.runbook.remediate_{incident}",
    ),
    "page_more": ("… {count} more lines: see the triage", "… ще рядків: {count}, їх покаже triage"),
    "and_more": ("{list} and {count} more", "{list} і ще {count}"),
    "span_days": ("{count} d", "{count} дн"),
    "span_hours": ("{count} h", "{count} год"),
    "span_minutes": ("{count} min", "{count} хв"),
    "span_seconds": ("{count} s", "{count} с"),
    # A tick of the clock of escalation
    "nothing_open": ("no incident is open", "відкритих інцидентів немає"),
    "on_hosts": ("  on {hosts}", "  на {hosts}"),
    "paged_before": ("  paged: {levels}", "  викликано: {levels}"),
    "paged_now": ("  paged now, {page}: {who}", "  викликано зараз, {page}: {who}"),
    "not_paged": ("  NOT reached: {channel}: {problem}", "  НЕ вдалося викликати: {channel}: {problem}"),
    "nobody_told": (
        "nobody was notified: see above, and check aurora_contacts",
        "нікого не викликано: див. вище й перевірте aurora_contacts",
    ),
    "not_read": (
        "{host}: its record cannot be read, so an incident may be open there: {problem}",
        "{host}: прочитати записи не вдалося, тож там може бути відкритий інцидент: {problem}",
    ),
    "page_unread_title": ("L1 {host}: its record cannot be read", "L1 {host}: прочитати записи не вдалося"),
    "page_unread_why": (
        "if an incident is open on that host alone, nobody is paged about it",
        "якщо інцидент відкрито лише там, нікого не буде викликано",
    ),
    "page_unread_next": (
        "see whether the host is up and answers: ansible-playbook aurora.runbook.triage --limit {host}",
        "перевірити, чи хост працює і відповідає: ansible-playbook aurora.runbook.triage --limit {host}",
    ),
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
    "pm_severity_now": ("Severity now, at its worst", "Критичність тепер, найгірша"),
    "pm_began_at": ("Trouble began", "Початок проблеми"),
    "pm_opened_at": ("Opened", "Відкрито"),
    "pm_closed_at": ("Closed", "Закрито"),
    "pm_still_open": ("STILL OPEN, as of {at}", "ДОСІ ВІДКРИТИЙ, станом на {at}"),
    "pm_hosts": ("Hosts", "Хости"),
    "pm_timeline": ("Timeline", "Хронологія"),
    "pm_own_clocks": (
        "Times are by the clock of each line's own host: UTC, and local time ({zone}).",
        "Час кожного рядка — за годинником його хоста: UTC і місцевий час ({zone}).",
    ),
    "pm_left_out": ("{count} lines are left out here", "тут пропущено рядків: {count}"),
    "pm_local": ("local", "місцевий"),
    "pm_host": ("Host", "Хост"),
    "pm_what": ("What", "Що"),
    "pm_impact": ("Impact", "Вплив"),
    "pm_in_breach": ("In breach", "За межею"),
    "pm_beyond": ("Beyond the limit, integrated", "Понад межу, інтеграл"),
    "pm_known_for": ("Known for", "Відомо за"),
    "pm_denied": ("Orders denied", "Відмовлених ордерів"),
    "pm_dropped": ("SSE clients dropped", "Від'єднано SSE-клієнтів"),
    "pm_source": ("From", "Звідки"),
    "pm_of": ("{part} of {whole}", "{part} із {whole}"),
    "pm_from_prometheus": ("Prometheus", "Prometheus"),
    "pm_from_record": ("samples of the record", "вимірювання із запису"),
    "pm_impact_notes": (
        "Orders denied: from Prometheus, or, if it does not know them, at least (≥) those counted while a step was"
        " watched. Clients dropped: the larger of two figures, the deepest fall of the connected clients in"
        " Prometheus, and the clients that our restarts dropped, from the record. Unknown is not zero.",
        "Відмовлені ордери: з Prometheus, а якщо він їх не знає, то щонайменше (≥) ті, які пораховано під час"
        " спостереження за кроком. Від'єднані клієнти: більше з двох чисел — найглибше падіння кількості підключених"
        " за Prometheus або ті, яких від'єднали наші перезапуски, за записом. Невідомо — це не нуль.",
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
    "pm_course_of": ("first {first}, worst {worst}, last {last}", "перше {first}, найгірше {worst}, останнє {last}"),
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
        "Text between these marks is kept when the report is written again, and goes into the HTML.",
        "Текст між цими позначками лишається, коли звіт пишуть знову, і потрапляє в HTML.",
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
    "pm_by": ("By", "Не пізніше"),
    "pm_at": ("At", "Коли"),
    "pm_respond": ("response", "реакція"),
    "pm_resolve": ("resolution", "усунення"),
    "pm_met": ("met", "дотримано"),
    "pm_missed": ("MISSED", "ПРОПУЩЕНО"),
    "pm_running": ("still running", "ще триває"),
    "pm_leases": ("Still leased", "Тимчасові зміни, що досі діють"),
    "pm_until": ("Until", "До коли"),
    "pm_endless": ("no end: until somebody gives it back", "без строку: поки хтось не поверне"),
    "pm_nothing_leased": ("Nothing is leased any more.", "Тимчасових змін не лишилося."),
    "pm_follow_ups": ("Follow-ups", "Що зробити далі"),
    "pm_owner": ("Owner", "Відповідальний"),
    "pm_due": ("Due", "Строк"),
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
    "pm_lease_renewed": ("{who} renewed a lease: {text}", "{who} подовжує строк зміни: {text}"),
    "pm_lease_taken_back": ("taken back", "повернуто"),
    "pm_lease_left_alone": ("left alone, because somebody changed it since", "не чіпали: хтось змінив пізніше"),
    "pm_lease_kept": ("kept, because the host is not healthy", "лишено: хост несправний"),
    "pm_lease_lost": ("it was lost already", "уже було втрачено"),
    "pm_severity": ("severity {before} → {to}", "критичність {before} → {to}"),
    "pm_acknowledged": ("{who} acknowledged: {text}", "{who} підтверджує: {text}"),
    "pm_note": ("{who} notes: {text}", "{who} зауважує: {text}"),
    "pm_paused": ("{who} paused automation until {until}", "{who} призупиняє автоматику до {until}"),
    "pm_resumed": ("{who} resumed automation", "{who} знімає паузу"),
    "pm_paging": ("paging {level}: whether it was sent is not known", "виклик {level}: чи надіслано, невідомо"),
    "pm_silenced_none": (
        "a silence until {until} matched no alert, so nothing was silenced",
        "приглушення до {until} не охопило жодного алерту, тож нічого не приглушено",
    ),
    "pm_silenced": ("alert silenced until {until}", "алерт приглушено до {until}"),
    "pm_reopened": ("incident opened again", "інцидент відкрито знову"),
    "pm_moved": ("goes on as {to}", "продовжено як {to}"),
    "pm_other": ("{what}: {text}", "{what}: {text}"),
    # Post-mortem: what is wrong with what is known
    "pm_missing": (
        "{host} could not be read, so what it knows is missing here: {problem}",
        "{host} не вдалося прочитати, тож того, що він знає, тут немає: {problem}",
    ),
    "pm_not_all": (
        "not all that {host} keeps could be read, so part of it is missing here: {problem}",
        "не все, що зберігає {host}, вдалося прочитати, тож тут не все: {problem}",
    ),
    "pm_not_in_play": (
        "another host names it as part of the incident, but it was not asked: --limit leaves it out, or it is gone"
        " from the inventory",
        "інший хост називає його частиною інциденту, а цей запуск його не питав: --limit або вилучено з інвентарю",
    ),
    "pm_no_record": (
        "another host names it as part of the incident, but it has no record: it was out of reach then, or it lost"
        " the record",
        "інший хост називає його частиною інциденту, а запису на ньому немає: тоді він був недосяжний або втратив"
        " запис",
    ),
    "pm_chain_broken": (
        "{host}: the chain of its record is BROKEN, so lines may have been changed or removed: {problem}",
        "{host}: ланцюг запису РОЗІРВАНО, тож рядки могли змінити чи вилучити: {problem}",
    ),
    "pm_lost_lines": ("{host}: lines that could not be read: {count}", "{host}: рядків не вдалося прочитати: {count}"),
    "pm_torn": (
        "{host}: a line is torn before line {seq}, as after a crash or a power loss; what it said is lost",
        "{host}: перед рядком {seq} один рядок обірвано, як буває після збою чи втрати живлення; що в ньому було,"
        " втрачено",
    ),
    "pm_torn_now": (
        "{host}: the last line of its record is torn, as after a crash or a power loss; what it said is lost",
        "{host}: останній рядок його запису обірвано, як буває після збою чи втрати живлення; що в ньому було,"
        " втрачено",
    ),
    "pm_intent_open": (
        "{host}: {action} (line {seq}) has no result, so what it left on the host is not known from here",
        "{host}: {action} (рядок {seq}) не має результату: що лишилося на хості, звідси невідомо",
    ),
    "pm_page_open": (
        "{level}: the record ends between a page and its result, so whether the page was sent is not known",
        "{level}: запис уривається між викликом і його результатом, тож чи надіслано виклик, невідомо",
    ),
    "pm_page_lost": ("{level}: no channel took the page: {failed}", "{level}: виклик не прийняв жоден канал: {failed}"),
    "pm_clocks": (
        "the clock of {fast} is {span} ahead of the clock of {slow}, so their lines may be in the wrong order",
        "годинник {fast} на {span} попереду годинника {slow}, тож їхні рядки можуть стояти не в тому порядку",
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
        "the answer of Prometheus cannot be used, so figures are from the samples of the record: {problem}",
        "відповідь Prometheus непридатна, тож числа взято з вимірювань у записі: {problem}",
    ),
    # Post-mortem: in short
    "pm_short_what": (
        "{severity} on {hosts}: {metric} was at worst {value}, limit {limit}.",
        "{severity} на {hosts}: найгірше значення {metric} — {value}, межа {limit}.",
    ),
    "pm_short_open": ("It has been open for {span} and is STILL OPEN.", "Інцидент триває вже {span} і ДОСІ ВІДКРИТИЙ."),
    "pm_short_closed": ("It was open for {span}.", "Інцидент тривав {span}."),
    "pm_short_breach": (
        "In breach for {span} on {host}, the longest; {percent} % of the time is known.",
        "Найдовше за межею був {host}: {span}; відомо {percent} % часу.",
    ),
    "pm_short_breach_unknown": (
        "How long it was in breach is unknown.",
        "Скільки часу показник був за межею, невідомо.",
    ),
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
        "{host}: find out what became of {action}, which has no result",
        "{host}: з'ясувати, що сталося з {action}, яке не має результату",
    ),
    "pm_todo_missing": ("reach {host}, then write this report again", "дістатися до {host} і написати цей звіт ще раз"),
    "pm_todo_chain": ("find out who or what changed the record of {host}", "з'ясувати, хто чи що змінило запис {host}"),
    "pm_todo_deadline": ("find out why the {name} was late", "з'ясувати, чому запізнилися: {name}"),
    "pm_todo_channel": ("repair the channel that failed: {channel}", "полагодити канал, що відмовив: {channel}"),
    "pm_todo_fix": ("fix what caused it", "усунути те, що це спричинило"),
    "pm_todo_docs": ("update the documentation", "оновити документацію"),
    "pm_todo_alerting": ("improve monitoring and alerting", "покращити моніторинг і алерти"),
    "pm_todo_training": ("train whoever needs it", "навчити тих, кому це потрібно"),
    # Preflight: the report
    "ready_all": ("{host}: READY, checks: {count}", "{host}: ГОТОВО, перевірок: {count}"),
    "ready_not": ("{host}: NOT READY: {bad}", "{host}: НЕ ГОТОВО: {bad}"),
    "ready_not_and_unchecked": (
        "{host}: NOT READY: {bad}; NOT CHECKED: {unknown}",
        "{host}: НЕ ГОТОВО: {bad}; НЕ ПЕРЕВІРЕНО: {unknown}",
    ),
    "ready_only_unchecked": (
        "{host}: NOT CHECKED, which is not ready: {unknown}",
        "{host}: НЕ ПЕРЕВІРЕНО, а це не «готово»: {unknown}",
    ),
    "ready_around": ("around the hosts", "довкола хостів"),
    "ready_unconfigured": ("not configured: {names}", "не налаштовано: {names}"),
    "ready_is_not": ("- {where}: not ready: {why}", "- {where}: не готово: {why}"),
    "ready_is_unchecked": ("- {where}: not checked: {why}", "- {where}: не перевірено: {why}"),
    # Preflight: why something is not ready
    "ready_says": ("{text}", "{text}"),
    "ready_unchecked": ("no answer shows it: {text}", "немає відповіді, з якої це видно: {text}"),
    "ready_unreached": (
        "the host cannot be reached, so nothing else on it was checked: {text}",
        "до хоста не вдається дістатися, тож нічого іншого на ньому не перевірено: {text}",
    ),
    "ready_no_pipelining": (
        "the connection does not use pipelining, so every module is sent as a file, which takes several times as long",
        "з'єднання працює без pipelining, тож кожен модуль надсилається файлом, а це в кілька разів довше",
    ),
    "ready_least_needs_pipelining": (
        "the connection does not use pipelining, and an account with least rights has no other way",
        "з'єднання працює без pipelining, а обліковий запис із найменшими правами іншого шляху не має",
    ),
    "ready_no_root": ("the account cannot become root: {text}", "не вдалося стати root: {text}"),
    "ready_no_python": ("Python does not start: {text}", "Python не запускається: {text}"),
    "ready_old_python": (
        "Python is {found}, and 3.9 or later is needed",
        "тут Python {found}, а потрібен 3.9 або новіший",
    ),
    "ready_read_only": (
        "{path} is on a file system that is read-only",
        "{path} лежить на файловій системі, доступній лише для читання",
    ),
    "ready_no_room": (
        "{path} has {free} MiB and {inodes} inodes free; {needed} MiB and 1000 inodes are needed",
        "на {path} вільно {free} МіБ та {inodes} inode; потрібно {needed} МіБ і 1000 inode",
    ),
    "ready_exposed": (
        "others than root can change {path}, so no program below it is run",
        "{path} може змінити не лише root, тож звідти програма не запускається",
    ),
    "ready_no_program": (
        "the program of this controller is not on the host, and an account with least rights has no other way",
        "програми цього контролера на хості немає, а обліковий запис із найменшими правами іншого шляху не має",
    ),
    "ready_malformed": (
        "{malformed} of its last {lines} lines are not JSON objects",
        "рядків, які не є об'єктами JSON: {malformed} з останніх {lines}",
    ),
    "ready_other_environment": (
        "no process has the environment of the unit, so no override reaches it: look for env -i or su in ExecStart",
        "жоден процес не має середовища юніта, тож зміна до нього не дійде: шукайте env -i чи su в ExecStart",
    ),
    "ready_set_elsewhere": (
        "it runs with {name}={now}, which nothing in the unit sets; only a restart shows whether an override wins",
        "працює з {name}={now}, чого юніт не задає; чи матиме зміна перевагу, видно лише після перезапуску",
    ),
    "ready_pending": (
        "it runs with {name}={now}, but the unit says {then}: a wrapper sets it, or a restart at night would switch"
        " on an edit that nobody has tried",
        "працює з {name}={now}, а за юнітом має бути {then}: значення задає обгортка, або нічний перезапуск увімкне"
        " правку, якої ніхто не випробував",
    ),
    "ready_no_unit": ("systemd says that it is {state}", "systemd каже, що його стан {state}"),
    "ready_not_running": ("it is not running: {state}", "не працює: {state}"),
    "ready_no_metric": (
        "its value is not known ({problem}, from {source}): {text}",
        "значення невідоме ({problem}, джерело {source}): {text}",
    ),
    "ready_clock_off": (
        "its clock differs from the controller's by {seconds} s",
        "його годинник розходиться з годинником контролера на {seconds} с",
    ),
    "ready_clock_free": (
        "no time service keeps its clock right, and the clock was not compared with the controller's",
        "жодна служба часу не звіряє його годинника, а з годинником контролера його не порівняли",
    ),
    "ready_status": ("it answers {status}", "відповідає {status}"),
    "ready_lease_unfinished": (
        "a run that was cut off left the change unfinished: {changes}",
        "обірваний запуск лишив зміну незавершеною: {changes}",
    ),
    "ready_lease_lost": (
        "somebody removed or changed {path}, on which the override rests",
        "хтось вилучив або змінив {path}, а без цього зміна не діє",
    ),
    "ready_lease_stands": (
        "{changes} is in effect already (until {until}), so a ladder that changes the same setting can do no more",
        "{changes} вже діє (до {until}), тож кроки, які змінюють те саме, більше не допоможуть",
    ),
    "ready_timer": ("leases do not end by themselves: {state}", "хост не поверне тимчасових змін сам: {state}"),
    "ready_paused": (
        "automation is paused until {until} (– means until somebody ends the pause)",
        "автоматику призупинено до {until} (– означає, доки хтось не зніме паузу)",
    ),
    "ready_claimed": ("{by} has been working here since {since}", "{by} працює тут з {since}"),
    "ready_cut_off": (
        "{action} of {at} was cut off, and nobody knows what became of it",
        "дію {action} від {at} обірвано, і ніхто не знає, чим це закінчилося",
    ),
    # Preflight: what to do
    "ready_next_connection": (
        "try ssh to the host by hand with the account, key and address of the inventory",
        "увійти туди через ssh вручну з обліковим записом, ключем і адресою з інвентаря",
    ),
    "ready_next_become": (
        "let the account become root without a password and a terminal (sudo -n id); with least rights, run"
        " aurora.runbook.prepare again",
        "дозволити обліковому запису ставати root без пароля й термінала (sudo -n id); якщо права найменші, знову"
        " запустити aurora.runbook.prepare",
    ),
    "ready_next_python": (
        "install Python 3.9 or later there, or name another with aurora_python_interpreter",
        "встановити там Python 3.9 чи новіший або назвати інший через aurora_python_interpreter",
    ),
    "ready_next_systemd": ("look at systemctl status there", "перевірити там systemctl status"),
    "ready_next_units": (
        "look at systemctl status of the unit; if it has another name, set aurora_runner_unit, aurora_feed_unit or"
        " aurora_nginx_unit",
        "перевірити його systemctl status; якщо він зветься інакше, вказати це в aurora_runner_unit,"
        " aurora_feed_unit чи aurora_nginx_unit",
    ),
    "ready_next_knob": (
        "look at systemctl cat of the unit, remove what wins over an override, then reload and restart by day",
        "переглянути systemctl cat юніта, прибрати те, що має перевагу над зміною, а вдень перечитати конфігурацію й"
        " перезапустити",
    ),
    "ready_next_metrics": (
        "check that the metrics page of the service and Prometheus have this metric",
        "перевірити, чи є ця метрика на сторінці сервісу та в Prometheus",
    ),
    "ready_next_logs": (
        "find out who writes the log and as which user; if it is elsewhere, set aurora_event_log, aurora_trade_log"
        " or aurora_denied_log",
        "з'ясувати, хто і від імені якого користувача його пише; якщо лог лежить деінде, вказати це в"
        " aurora_event_log, aurora_trade_log чи aurora_denied_log",
    ),
    "ready_next_token": (
        "put the token there, and let only the user of the service read it",
        "покласти туди токен, доступний лише користувачу сервісу",
    ),
    "ready_next_rotation": (
        "correct it, then try logrotate --debug on its configuration",
        "виправити, а тоді спробувати logrotate --debug з його конфігурацією",
    ),
    "ready_next_calibration": (
        "correct it before the model has to be refitted",
        "виправити, перш ніж модель доведеться калібрувати наново",
    ),
    "ready_next_kernel": (
        "do nothing if this kernel is to stay; the other settings are tuned all the same",
        "нічого, якщо це ядро лишається; решту параметрів усе одно буде налаштовано",
    ),
    "ready_next_records": (
        "find out who changed or filled it; nothing is remediated where it cannot be put on record",
        "з'ясувати, хто це змінив чи заповнив; якщо запису зробити не можна, інцидентів не усувають",
    ),
    "ready_next_clock": (
        "let a time service set the clock (timedatectl, chronyc tracking)",
        "доручити його службі часу (timedatectl, chronyc tracking)",
    ),
    "ready_next_timer": (
        "look at systemctl status aurora-runbook-leases.timer",
        "перевірити systemctl status aurora-runbook-leases.timer",
    ),
    "ready_next_leases": (
        "when the cause is gone, give it back: ansible-playbook aurora.runbook.revert --limit {host}",
        "коли причина зникне, повернути: ansible-playbook aurora.runbook.revert --limit {host}",
    ),
    "ready_next_pause": (
        "wait until the pause is over, or end it: aurora.runbook.incident with state=resumed on {host}",
        "дочекатися кінця паузи або зняти її: aurora.runbook.incident зі state=resumed на {host}",
    ),
    "ready_next_program": (
        "correct that; for an account with least rights, then run aurora.runbook.prepare",
        "виправити, а для облікового запису з найменшими правами запустити aurora.runbook.prepare",
    ),
    "ready_next_public_way": (
        "go the public way by hand from outside: name, port 443, certificate, /healthz",
        "пройти публічний шлях ззовні вручну: ім'я, порт 443, сертифікат, /healthz",
    ),
    "ready_next_exchange": (
        "check that the exchange works, and that this host may reach it",
        "перевірити, чи з біржею все гаразд і чи цей хост до неї дістається",
    ),
    # Review of some weeks
    "rv_title": ("Review of {days} days up to {date}", "Огляд за {days} дн. до {date}"),
    "rv_about": (
        "This review is about the incidents that were open in these days or ended in them, from the records of"
        " {read} of {hosts} hosts. Each incident counts once, however many hosts have a record of it. The review"
        " changes nothing.",
        "Огляд охоплює інциденти, які в ці дні були відкриті або завершилися, за записами хостів ({read} із"
        " {hosts}). Кожен інцидент враховано один раз, хоч би скільки хостів мали його запис. Огляд нічого не"
        " змінює.",
    ),
    "rv_short_count": ("Incidents: {count}, of which not over: {open}.", "Інцидентів: {count}, не завершено: {open}."),
    "rv_short_missed": (
        "Deadlines missed: response {respond}, resolution {resolve}; unknown: {unknown}.",
        "Пропущено строків: реакція {respond}, усунення {resolve}; невідомо: {unknown}.",
    ),
    "rv_short_repeats": (
        "Causes of more than one incident: {count}; of these, back after the fix was due: {late}.",
        "Причин, через які був не один інцидент: {count}; з них повернулися після строку виправлення: {late}.",
    ),
    "rv_short_nobody": (
        "Incidents with a page that nobody acknowledged: {count}.",
        "Інцидентів із викликом, яких ніхто не підтвердив: {count}.",
    ),
    "rv_short_leases": ("Changes that still stand on hosts: {count}.", "Змін, які досі діють на хостах: {count}."),
    "rv_short_proposals": (
        "Places where the ladder's order contradicts what helped: {count}.",
        "Місць, де послідовність кроків суперечить тому, що допомагало: {count}.",
    ),
    "rv_incidents": ("incidents", "інциденти"),
    "rv_by_class": ("Incidents by class and severity", "Інциденти за класом і критичністю"),
    "rv_by_cause": ("Incidents by cause", "Інциденти за причиною"),
    "rv_over_time": ("When they were opened", "Коли їх відкрито"),
    "rv_from_to": ("From – to (UTC)", "Від – до (UTC)"),
    "rv_elsewhen": (
        "Opened before these days, or nobody knows when: {count}.",
        "Відкрито до цих днів або невідомо коли: {count}.",
    ),
    "rv_times": ("Time to the first answer and to recovery", "Час до першої реакції та до відновлення"),
    "rv_times_notes": (
        "Times count from when the trouble began. The first answer is automation's first action or a person's"
        " acknowledgement; recovery is when a run found all hosts within limits. If a person closed an incident"
        " before that, its time is unknown. An incident that ended by itself before anybody had to answer needed no"
        " answer.",
        "Час рахується від початку проблеми. Перша реакція — перша дія автоматики або підтвердження людини;"
        " відновлення — коли запуск побачив усі хости в межах норми. Якщо людина закрила інцидент раніше, його час"
        " невідомий. Інцидент, який минув сам, поки ніхто ще не мусив реагувати, реакції не потребував.",
    ),
    "rv_severity": ("Severity", "Критичність"),
    "rv_cause": ("Cause", "Причина"),
    "rv_count": ("Incidents", "Інцидентів"),
    "rv_not_over": ("Not over", "Не завершено"),
    "rv_deadline": ("deadline", "строк"),
    "rv_median": ("median", "медіана"),
    "rv_known": ("{known} of {of} known", "відомо {known} з {of}"),
    "rv_minutes": ("minutes, logarithmic", "хвилини, логарифмічно"),
    "rv_states": ("Against the deadline", "Щодо строку"),
    "rv_not_needed": ("not needed", "не потрібна"),
    "rv_rungs": ("Which steps helped", "Які кроки допомогли"),
    "rv_rungs_notes": (
        "The figures count incidents: a step that was taken on several hosts helped if it helped on all of them."
        " Steps that failed, were cut off, or were not watched are unknown.",
        "Рахуються інциденти: крок, зроблений на кількох хостах, допоміг, якщо допоміг на всіх. Якщо крок не вдався,"
        " обірвався або за ним не спостерігали, результат невідомий.",
    ),
    "rv_rung": ("Step", "Крок"),
    "rv_again": ("{rung}, again", "{rung}, ще раз"),
    "rv_tried": ("Taken", "Зроблено"),
    "rv_helped": ("helped", "допомогло"),
    "rv_not_helped": ("did not help", "не допомогло"),
    "rv_no_rungs": ("No step of a ladder is on record.", "Кроків у записах немає."),
    "rv_others": (
        "Other actions on record, of people or at the end of a lease: {count}.",
        "Інших дій у записах (людей або наприкінці строку тимчасової зміни): {count}.",
    ),
    "rv_proposals": (
        "Where the order contradicts what helped",
        "Де послідовність кроків суперечить тому, що допомагало",
    ),
    "rv_propose": (
        "{incident}, {cause}: {later} helped in {later_helped} of {later_tried} incidents ({later_unknown} unknown),"
        " while {earlier}, which comes before it, helped in {earlier_helped} of {earlier_tried} ({earlier_unknown}"
        " unknown). Consider {later} first for this cause.",
        "{incident}, {cause}: {later} допомогло в {later_helped} з {later_tried} інцидентів (невідомо:"
        " {later_unknown}), а {earlier}, що йде раніше, — у {earlier_helped} з {earlier_tried} (невідомо:"
        " {earlier_unknown}). Зважте, чи не робити для цієї причини спершу {later}.",
    ),
    "rv_no_proposals": (
        "Nothing contradicts the order of the ladders, or too little is known to tell.",
        "Ніщо не суперечить послідовності кроків, або відомо замало, щоб це сказати.",
    ),
    "rv_proposal_rules": (
        "A change of the order is proposed only where the results of both steps are known in {least} incidents or"
        " more, and their shares differ with 95 % certainty even if each unknown result counts against the proposal."
        " A later step is tried only where the earlier one did not help. A step that raises exposure is never"
        " proposed before one that does not. A smaller Kelly protects and does not cure, so it stays where it is,"
        " and so do steps that prepare others. A person decides.",
        "Зміну послідовності кроків запропоновано лише там, де результати обох кроків відомі щонайменше в {least}"
        " інцидентах, а їхні частки різняться з певністю 95 %, навіть якщо кожен невідомий результат рахувати проти"
        " пропозиції. Пізніший крок роблять лише там, де раніший не допоміг. Крок, що збільшує ризик, ніколи не"
        " пропонують перед таким, що не збільшує. Менший Kelly захищає, а не лікує, тож лишається на місці, як і"
        " кроки, що готують інші. Вирішує людина.",
    ),
    "rv_repeats": ("Causes that came back", "Причини, що повернулися"),
    "rv_repeats_notes": (
        "The fix of an incident is due a week after it. If its cause came back later, a follow-up was not done, or"
        " it did not help.",
        "Причину інциденту треба усунути протягом тижня після нього. Якщо вона повернулася пізніше, запланованого не"
        " зробили або воно не допомогло.",
    ),
    "rv_late": ("After the fix was due", "Після строку виправлення"),
    "rv_first_last": ("First – last (UTC)", "Перший – останній (UTC)"),
    "rv_most_on": ("Most on one host", "Найбільше на одному хості"),
    "rv_no_repeats": ("No cause had more than one incident.", "Жодна причина не мала більше одного інциденту."),
    "rv_refusals": ("Refused by guards", "Відмови запобіжників"),
    "rv_refusals_count": ("Refusals", "Відмов"),
    "rv_no_refusals": ("No guard refused anything.", "Жоден запобіжник не відмовляв."),
    "rv_pages": ("Pages", "Виклики"),
    "rv_sent": ("Sent", "Надіслано"),
    "rv_taken": ("Acknowledged", "Підтверджено"),
    "rv_failed": ("Taken by no channel", "Не прийняв жоден канал"),
    "rv_channel": ("Channel that failed", "Канал, що відмовив"),
    "rv_pages_count": ("Pages", "Викликів"),
    "rv_nobody": ("Paged, and nobody acknowledged:", "Викликано, і ніхто не підтвердив:"),
    "rv_no_pages": ("Nobody was paged.", "Нікого не викликали."),
    "rv_leases": ("What still stands", "Що досі діє"),
    "rv_since": ("Since (UTC)", "Діє з (UTC)"),
    "rv_more": (
        "And {count} more, which are in the figures and not in this table.",
        "І ще {count}, враховані в числах, але не в цій таблиці.",
    ),
    "rv_more_doubts": ("and {count} more of these", "і ще {count} таких"),
    "rv_none": ("There was no incident.", "Інцидентів не було."),
    "rv_chart_class": (
        "Bars: incidents of each class by severity; the table below has the same figures",
        "Смуги: інциденти кожного класу за критичністю; ті самі числа в таблиці нижче",
    ),
    "rv_chart_time": (
        "Bars: incidents opened over time; the table below has the same figures",
        "Стовпці: коли відкрито інциденти; ті самі числа в таблиці нижче",
    ),
    "rv_chart_times": (
        "Median and worst time of each severity beside its deadline; the table below has the same figures",
        "Медіана й найгірший час для кожної критичності поряд зі строком; ті самі числа в таблиці нижче",
    ),
    "rv_chart_rungs": (
        "Bars: what came of each step by cause; the table below has the same figures",
        "Смуги: що вийшло з кожного кроку за причиною; ті самі числа в таблиці нижче",
    ),
    "rv_chain_broken": (
        "{host}, {id}: the chain of the record is BROKEN, so lines may have been changed or removed, and the figures"
        " with them: {problem}",
        "{host}, {id}: ланцюг запису РОЗІРВАНО, тож рядки могли змінити чи вилучити, а з ними й числа: {problem}",
    ),
    "rv_lost_lines": (
        "{host}, {id}: lines that could not be read: {count}",
        "{host}, {id}: рядків не вдалося прочитати: {count}",
    ),
    "rv_no_opening": (
        "{host}, {id}: the record has no opening, so its times are not known from there",
        "{host}, {id}: у записі немає відкриття, тож часу подій звідти не видно",
    ),
    "rv_clock_ahead": (
        "{host}: its clock is {span} ahead of the controller's",
        "{host}: його годинник на {span} попереду годинника контролера",
    ),
    "rv_clock_behind": (
        "{host}: its clock is {span} behind the controller's",
        "{host}: його годинник на {span} позаду годинника контролера",
    ),
    "rv_cut": (
        "{host}: it sent more than a host keeps, so some records are not complete here: {count}",
        "{host}: він надіслав більше, ніж хост зберігає, тож деякі записи тут неповні: {count}",
    ),
    "rv_pruned": (
        "{host}: it keeps {count} incidents that are over, and it returned as many, so older ones may be missing",
        "{host}: завершених інцидентів він зберігає щонайбільше {count} і стільки ж повернув, тож давніших може"
        " бракувати",
    ),
    # Preflight: what a run needs beside the hosts
    "ready_do_again": (
        "run this again; if it says the same, report it as a fault of this collection",
        "запустити це ще раз; якщо відповідь буде та сама, повідомити про помилку цієї колекції",
    ),
    "ready_no_prometheus": ("Prometheus does not answer: {problem}", "Prometheus не відповідає: {problem}"),
    "ready_do_prometheus": (
        "check that Prometheus runs, and that aurora_prometheus_url leads to it from the hosts",
        "перевірити, що Prometheus працює і що aurora_prometheus_url веде до нього з хостів",
    ),
    "ready_series_ended": (
        "Prometheus had series of it with the label {label}, but it has none now",
        "раніше в Prometheus були його ряди з міткою {label}, а зараз їх немає",
    ),
    "ready_do_series_ended": (
        "find out why it is not scraped: Status, Targets on the page of Prometheus",
        "з'ясувати, чому з нього не збирають метрик: Status, Targets на сторінці Prometheus",
    ),
    "ready_no_series": (
        "no series of Prometheus has it in the label {label}; the values of that label are: {values}",
        "жоден ряд у Prometheus не має його в мітці {label}; у цій мітці є: {values}",
    ),
    "ready_do_no_series": (
        "set in the inventory how its metrics are labelled: aurora_prometheus_instance, aurora_prometheus_label",
        "вказати в інвентарі, як позначено його метрики: aurora_prometheus_instance, aurora_prometheus_label",
    ),
    "ready_no_rules": ("Prometheus does not have the rules {names}", "у Prometheus немає правил {names}"),
    "ready_rule_fails": ("Prometheus cannot evaluate it: {problem}", "Prometheus не може його обчислити: {problem}"),
    "ready_do_rules": (
        "install the rules: run the playbook aurora.runbook.alerting",
        "встановити правила: запустити плейбук aurora.runbook.alerting",
    ),
    "ready_rule_unknown": ("Prometheus does not say that it evaluates it", "Prometheus не каже, що обчислює його"),
    "ready_do_rule_unknown": (
        "try again in a minute: after a reload Prometheus has not evaluated a rule yet",
        "спробувати за хвилину: після перечитання конфігурації Prometheus ще не обчислював правила",
    ),
    "ready_scrape_fails": ("Prometheus cannot scrape it: {problem}", "Prometheus не може зібрати метрики: {problem}"),
    "ready_do_scrape_fails": (
        "check that its page answers the host of Prometheus",
        "перевірити, що сторінка відповідає хостові Prometheus",
    ),
    "ready_scrape_unknown": (
        "Prometheus does not say whether it scrapes it, and how often",
        "Prometheus не каже, чи збирає з нього метрики і як часто",
    ),
    "ready_do_scrape_unknown": (
        "try again after a scrape; its scrape_interval has to be at most {most} s",
        "спробувати ще раз після збору метрик; scrape_interval має бути не більший за {most} с",
    ),
    "ready_scraped_rarely": (
        "it is scraped every {seconds} s, but the shortest window of the rules, {window} s, needs a scrape every"
        " {most} s",
        "метрики збираються кожні {seconds} с; найкоротше вікно правил, {window} с, потребує кожні {most} с",
    ),
    "ready_do_scraped_rarely": (
        "lower scrape_interval of its job in prometheus.yml, then run the playbook aurora.runbook.alerting",
        "зменшити scrape_interval його job у prometheus.yml, а тоді запустити плейбук aurora.runbook.alerting",
    ),
    "ready_no_alertmanager": ("Alertmanager does not answer: {problem}", "Alertmanager не відповідає: {problem}"),
    "ready_alertmanager_refuses": (
        "Alertmanager refuses this run: {problem}",
        "Alertmanager не пускає цей запуск: {problem}",
    ),
    "ready_do_alertmanager": (
        "check that Alertmanager runs, and that aurora_alertmanager_url and aurora_alertmanager_token are right",
        "перевірити, що Alertmanager працює, а aurora_alertmanager_url і aurora_alertmanager_token правильні",
    ),
    "ready_route_unknown": (
        "the routes of Alertmanager cannot be read, so nobody knows where it sends our alerts: {problem}",
        "маршрути Alertmanager прочитати не вдалося, тож куди він надсилає наші алерти, невідомо: {problem}",
    ),
    "ready_do_route_unknown": (
        "ask amtool on its host: amtool config routes test alertname=CircuitBreakerOpen",
        "запитати amtool на його хості: amtool config routes test alertname=CircuitBreakerOpen",
    ),
    "ready_no_receiver": (
        "Alertmanager has no receiver that is our webhook",
        "серед отримувачів Alertmanager немає нашого вебхука",
    ),
    "ready_route_elsewhere": (
        "the receiver aurora-runbook leads to another URL than aurora_webhook_url",
        "отримувач aurora-runbook веде на іншу адресу, ніж aurora_webhook_url",
    ),
    "ready_no_route": (
        "Alertmanager does not send {names} to our webhook",
        "Alertmanager не надсилає {names} на наш вебхук",
    ),
    "ready_do_route": (
        "put our route before all others: run the playbook aurora.runbook.alerting with aurora_webhook_url",
        "поставити наш маршрут перед усіма іншими: запустити плейбук aurora.runbook.alerting з aurora_webhook_url",
    ),
    "ready_route_timed": (
        "the route of {names} is muted at certain times, and the night may be one of them",
        "маршрут до {names} мовчить у певні години, і ніч може бути серед них",
    ),
    "ready_do_route_timed": (
        "remove mute_time_intervals and active_time_intervals from the route of our alerts",
        "прибрати mute_time_intervals і active_time_intervals з маршруту наших алертів",
    ),
    "ready_silenced": (
        "a silence of {who} mutes our alerts until {until}, so nothing would be started",
        "приглушення (хто поставив: {who}) приховує наші алерти до {until}, тож нічого не запуститься",
    ),
    "ready_do_silenced": (
        "end the silence on the page of Alertmanager when its reason is gone",
        "завершити приглушення на сторінці Alertmanager, коли причина зникне",
    ),
    "ready_silences_unknown": (
        "its list of silences does not have the form that Alertmanager gives it",
        "його перелік приглушень не має того вигляду, у якому їх подає Alertmanager",
    ),
    "ready_alerts_unknown": (
        "its list of alerts does not have the form that Alertmanager gives it",
        "його перелік алертів не має того вигляду, у якому їх подає Alertmanager",
    ),
    "ready_silence_misses": (
        "a silence of ours would not match its alerts, whose label {label} is {values}",
        "наше приглушення не охопило б його алертів, у яких мітка {label}: {values}",
    ),
    "ready_silence_unknown": (
        "no alert and no series shows what the label {label} of its alerts would be",
        "жоден алерт і жоден ряд не показує, якою була б мітка {label} його алертів",
    ),
    "ready_do_silence_unknown": (
        "set aurora_prometheus_url, or find out why Prometheus has no series of it",
        "вказати aurora_prometheus_url або з'ясувати, чому Prometheus не має його рядів",
    ),
    "ready_no_webhook": ("the webhook does not answer: {problem}", "вебхук не відповідає: {problem}"),
    "ready_webhook_strange": (
        "the webhook answered {status}, which neither accepts nor refuses the request",
        "вебхук відповів {status}, а це не означає ні згоди, ні відмови",
    ),
    "ready_do_webhook": (
        "check that ansible-rulebook runs, and that aurora_webhook_url and aurora_webhook_ca are right",
        "перевірити, що ansible-rulebook працює, а aurora_webhook_url і aurora_webhook_ca правильні",
    ),
    "ready_webhook_open": (
        "the webhook takes requests without a token ({status}), so anybody could start a remediation",
        "вебхук приймає запит без токена ({status}): будь-хто може запустити усунення інциденту",
    ),
    "ready_webhook_no_token": (
        "the webhook wants a token, but aurora_webhook_token is not set",
        "вебхук вимагає токен, а aurora_webhook_token не задано",
    ),
    "ready_webhook_refuses": ("the webhook refuses our token ({status})", "вебхук не приймає наш токен ({status})"),
    "ready_do_webhook_token": (
        "give the webhook, Alertmanager's route and this run the same aurora_webhook_token",
        "дати вебхуку, маршруту Alertmanager і цьому запуску той самий aurora_webhook_token",
    ),
    "ready_contact_list": ("it is not a list of contacts: {problem}", "це не список контактів: {problem}"),
    "ready_contact_empty": ("it has no URL", "у нього немає URL"),
    "ready_contact_unreadable": ("Apprise does not understand its URL", "Apprise не розуміє його URL"),
    "ready_do_contact": (
        "correct its URL in the vault, and try it with the apprise command",
        "виправити його URL у vault і перевірити командою apprise",
    ),
    "ready_contact_unproven": (
        "its URL can be read and its service answers, but whether it takes a page was not tried",
        "його URL прочитано, сервіс відповідає; чи прийме виклик, не перевіряли",
    ),
    "ready_contact_nowhere": (
        "its URL does not say where its service is, so only a message would show whether it works",
        "з його URL не видно, де сервіс, тож це показало б лише повідомлення",
    ),
    "ready_contact_some": (
        "not every address where its service may be answers",
        "відповідають не всі адреси, за якими може бути його сервіс",
    ),
    "ready_do_test_page": (
        "send each contact a test message: run this with aurora_test_page=true",
        "надіслати кожному контакту пробне повідомлення: запустити це з aurora_test_page=true",
    ),
    "ready_contact_down": ("its service cannot be reached: {problem}", "його сервіс недосяжний: {problem}"),
    "ready_do_contact_down": (
        "check that its host is right and can be reached from here",
        "перевірити, що його хост правильний і звідси досяжний",
    ),
    "ready_page_failed": (
        "it did not take the test message: {problem}",
        "він не прийняв пробного повідомлення: {problem}",
    ),
    "ready_no_apprise": ("Apprise is missing on the controller", "на контролері немає Apprise"),
    "ready_do_apprise": (
        "install what meta/ee-requirements.txt of aurora.runbook lists",
        "встановити те, що перелічує meta/ee-requirements.txt колекції aurora.runbook",
    ),
    "ready_page_title": ("TEST: no incident", "ПЕРЕВІРКА: це не інцидент"),
    "ready_page_body": (
        "This is a test message of aurora.runbook.preflight. Nothing is wrong, and there is nothing to do.",
        "Це пробне повідомлення від aurora.runbook.preflight. Усе гаразд, робити нічого не треба.",
    ),
    "ready_rulebook_unknown": (
        "ansible-rulebook is installed here but does not say its version",
        "ansible-rulebook тут є, але не повідомляє своєї версії",
    ),
    "ready_rulebook_leaks": (
        "this ansible-rulebook leaks memory until it stops taking alerts; {least} does not leak",
        "у цього ansible-rulebook витікає пам'ять, доки він не перестане приймати алерти; у {least} витоку немає",
    ),
    "ready_do_rulebook": (
        "update it: pip install --upgrade ansible-rulebook drools_jpy, and restart it",
        "оновити: pip install --upgrade ansible-rulebook drools_jpy, і перезапустити",
    ),
    "ready_no_awx": ("AWX does not answer as it should: {problem}", "AWX не відповідає як слід: {problem}"),
    "ready_awx_missing": ("AWX does not have {names}", "в AWX немає: {names}"),
    "ready_awx_differs": (
        "AWX has something other than what is defined for: {names}",
        "в AWX є відмінності від визначеного: {names}",
    ),
    "ready_awx_nodes": (
        "the nodes or links of {names} are not as they are defined",
        "вузли або зв'язки {names} не такі, як визначено",
    ),
    "ready_awx_no_hosts": ("its inventory has no hosts", "в інвентарі AWX немає хостів"),
    "ready_do_awx": (
        "set AWX up again: run the playbook aurora.runbook.awx",
        "налаштувати AWX ще раз: запустити плейбук aurora.runbook.awx",
    ),
    "ready_awx_schedule": (
        "the schedule is disabled, or has no next run",
        "розклад вимкнено, або наступного запуску немає",
    ),
    "ready_do_awx_schedule": (
        "enable it, or run the playbook aurora.runbook.awx again",
        "увімкнути його або ще раз запустити плейбук aurora.runbook.awx",
    ),
    "ready_awx_no_job": (
        "no job has used the credentials yet, so whether they open the hosts is not known",
        "жодне завдання ще не користувалося обліковими даними, тож чи відкривають вони хости, невідомо",
    ),
    "ready_awx_job": ("the last job ended as {status}", "останнє завдання завершилося зі станом {status}"),
    "ready_do_awx_job": (
        "launch aurora.runbook.triage in AWX and read what it says",
        "запустити aurora.runbook.triage в AWX і прочитати, що воно каже",
    ),
    "ready_no_eda": (
        "the EDA controller does not answer as it should: {problem}",
        "EDA не відповідає як слід: {problem}",
    ),
    "ready_eda_stands": ("the activation is {status}", "стан активації: {status}"),
    "ready_do_eda": (
        "start the activation on the page of the EDA controller, and check that aurora_eda_url leads there",
        "запустити активацію на сторінці EDA і перевірити, що aurora_eda_url веде туди",
    ),
    "ready_heartbeat_unsent": (
        "the test alert could not be sent: {problem}",
        "пробний алерт надіслати не вдалося: {problem}",
    ),
    "ready_heartbeat_lost": (
        "the test alert went to Alertmanager, but no run ended it within {seconds} s",
        "пробний алерт надійшов до Alertmanager, але за {seconds} с жоден запуск його не завершив",
    ),
    "ready_do_heartbeat": (
        "run the playbook aurora.runbook.alerting, which adds the route of this alert, and read the log of"
        " ansible-rulebook",
        "запустити плейбук aurora.runbook.alerting, який додасть маршрут цього алерту, і переглянути журнал"
        " ansible-rulebook",
    ),
    "ready_unanswered": (
        "an alert opened the incident at {opened}; its deadline is over, and no run has given a verdict",
        "інцидент відкрив алерт ({opened}); строк минув, а жоден запуск не дав вердикту",
    ),
    "ready_unanswered_unknown": (
        "its records do not have the expected form, so whether alerts were answered is not known",
        "його записи не мають очікуваного вигляду, тож чи реагували на алерти, невідомо",
    ),
    "ready_do_unanswered": (
        "find out in the log of ansible-rulebook or AWX what became of the run, then remediate the host by hand",
        "з'ясувати в журналі ansible-rulebook або AWX, що сталося із запуском, а тоді вручну запустити усунення для"
        " цього хоста",
    ),
}

CATALOGUE = {**_messages.CATALOGUE, **OWN}


def say(language: str, key: str, **values: object) -> str:
    """A message of either catalogue; everything else is as in ``_messages.say``."""
    return text_of(language, key).format(**values)


def text_of(language: str, key: str) -> str:
    """A message with the names of its values in their places."""
    return _messages.text_of(language, key, CATALOGUE)


def overridden(language: str, unit: str, values: Mapping[str, str], until: str | None) -> str:
    """What is left of an override, and until when."""
    changes = ", ".join(f"{name}={value}" for name, value in sorted(values.items()))
    return say(language, "leased_until" if until else "overridden", unit=unit, changes=changes, until=until)


def changes(language: str, steps: Iterable[Mapping]) -> str:
    """Steps of service_override as people read them: KELLY_MULTIPLIER 1.0 → 0.5."""
    unset = say(language, "unset")
    return ", ".join(
        f"{step['name']} {unset if step['before'] is None else step['before']}"
        f" → {unset if step['after'] is None else step['after']}"
        for step in steps
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""The one catalogue of what an operator reads in an incident, in English and Ukrainian. Private to aurora.runbook."""

from __future__ import annotations

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
    "malformed": ("the metrics page is not Prometheus text", "сторінка метрик не у форматі Prometheus"),
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
        "the exchange answers {status} and has no requests left for us",
        "біржа відповідає {status} і не лишила нам запитів",
    ),
    "exchange_slow": (
        "the exchange took {ms} ms for its status page, the limit is {limit} ms",
        "біржа віддавала сторінку стану {ms} мс за межі {limit} мс",
    ),
    "exchange_gone": (
        "the exchange answers neither HTTP nor ping: {problem}",
        "біржа не відповідає ні на HTTP, ні на ping: {problem}",
    ),
    "ece_high": (
        "calibration_ece is {value:.3f}, the limit is {limit:g}",
        "calibration_ece = {value:.3f}, межа {limit:g}",
    ),
    "nginx_says": ("nginx -t: {message}", "nginx -t: {message}"),
    "certificate_says": ("certificate: {problem}", "сертифікат: {problem}"),
    "dns_says": ("DNS: {problem}", "DNS: {problem}"),
    "disk_says": ("{path}: {what} is {percent} %", "{path}: {what} = {percent} %"),
    "cpu_says": (
        "CPU {busy} % busy, most of it {name} (pid {pid}, {cpu_percent} % of a core)",
        "CPU зайнятий на {busy} %, найбільше {name} (pid {pid}, {cpu_percent} % ядра)",
    ),
    "iostat_says": ("disk {name} is {util} % busy", "диск {name} зайнятий на {util} %"),
    "unit_down": ("{unit} is {state}, restarts: {restarts}", "{unit}: {state}, перезапусків: {restarts}"),
    "healthz_says": ("{unit} runs, and /healthz says: {problem}", "{unit} працює, а /healthz каже: {problem}"),
    "memory_says": ("{unit} uses {mib} of {limit} MiB", "{unit} займає {mib} з {limit} МіБ"),
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
    "few_events": ("too few events in the sample", "замало подій у вибірці"),
    "cause_is": ("likely cause: {cause}: {evidence}", "імовірна причина: {cause}: {evidence}"),
    "probe_failed": ("could not look: {probe}: {problem}", "не вдалося перевірити: {probe}: {problem}"),
    "leased": ("overridden since {granted} by {by}: {unit} {changes}", "змінено з {granted} ({by}): {unit} {changes}"),
    "lease_unfinished": (
        "an override of {unit} was not finished; the next remediation or revert finishes it",
        "зміну {unit} не завершено; її завершить наступне усунення або revert",
    ),
    # Report
    "report_head": ("{incident}: {verdicts}", "{incident}: {verdicts}"),
    "host": ("{host}: {verdict}", "{host}: {verdict}"),
    "was": ("  was:  {text}", "  було:     {text}"),
    "done": ("  done: {text}", "  зроблено: {text}"),
    "now": ("  now:  {text}", "  зараз:    {text}"),
    "left": ("  left: {text}", "  лишилося: {text}"),
    "next": ("  next: {text}", "  далі:     {text}"),
    "unreachable": (
        "the host does not answer, so nothing is known about it: {problem}",
        "хост не відповідає, тож про нього нічого не відомо: {problem}",
    ),
    "looked_badly": ("could not look: {problem}", "не вдалося подивитися: {problem}"),
    "failed": ("failed: {problem}", "не вдалося: {problem}"),
    "not_tried": (
        "left as it is, since an earlier host did not recover",
        "не чіпали, бо попередній хост не відновився",
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
    "next_person": (
        "escalate to L2: every step that is safe unattended is done; look at the cause above",
        "ескалювати на L2: усі безпечні кроки вже зроблено; дивіться причину вище",
    ),
    "next_unknown": (
        "check by hand whether it trades, then run this again; unknown is not recovered",
        "перевірити вручну, чи торгує, і запустити ще раз; невідомо — не означає відновлено",
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
    "unset": ("(unset)", "(не задано)"),
}


def say(language: str, key: str, **values: object) -> str:
    """A message of the catalogue. Values are put in as they are: they are data, never templates."""
    return CATALOGUE[key][LANGUAGES.index(language)].format(**values)


def sentence(key: str, **values: object) -> dict:
    """A message as modules return it, so that the controller can say it in another language."""
    return {"message": key, "values": values, "text": say("en", key, **values)}


def number(value: float | None) -> str:
    """A figure as people read it: 0.0312, 12, 1.75; a dash for none."""
    return "–" if value is None else f"{value:.4g}"


def recovery(language: str, numbers: dict) -> str:
    """The sentence behind a recovery verdict, from what wait_for_recovery returns as ``recovery``."""
    return say(
        language,
        numbers["reason"],
        metric=numbers["metric"],
        value=number(numbers["value"]),
        limit=number(numbers["threshold"]),
        count=number(numbers["count"]),
        needed=numbers["min_count"],
        hold=number(numbers["hold_seconds"]),
    )

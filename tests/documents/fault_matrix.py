"""What can go wrong at each thing that the bot depends on, and the test that shows what then happens.

A cell is a test, a reason why the fault does not apply (it begins with "-"), or nothing where no test is written yet.
"""

from collections.abc import Mapping

FAULTS = ("lost answer", "4xx once", "5xx", "reset", "slow", "garbage", "wrong number", "gone for an hour")

_DRAWING = "tests/drawing/test_failures.py"
_LOOK = f"{_DRAWING}::test_a_look_that_fails_is_repeated_and_the_picture_comes"
_PAID = "tests/drawing/test_paid_pictures.py"
_ODD = f"{_PAID}::test_one_odd_answer_to_a_look_ends_no_picture"
_ODD_FINETUNE = f"{_PAID}::test_one_odd_answer_ends_no_picture_of_a_finetune_either"
_ODD_TRAINING = f"{_PAID}::test_one_odd_answer_ends_no_training"
_TROUBLED = "tests/finetuning/test_troubled_trainers.py"
_LOOKS = f"{_TROUBLED}::test_looks_at_a_training_that_fail_once_each_in_every_way_end_nothing"
_GONE = f"{_TROUBLED}::test_a_trainer_that_is_gone_for_an_hour_loses_nothing"
_PINATA = "tests/pinning/test_pinata.py"
_UPLOAD = f"{_PINATA}::test_an_upload_that_goes_wrong_is_made_again_and_leaves_one_file"
_GATEWAY = f"{_PINATA}::test_a_gateway_that_goes_wrong_leaves_no_file"
_KUBO = "tests/pinning/test_kubo.py"
_ADD = f"{_KUBO}::test_an_add_that_goes_wrong_says_what_happens_next_and_may_be_repeated"
_NODE = "tests/story/test_odd_answers.py"
_NO_ANSWER = f"{_NODE}::test_whatever_is_no_answer_is_unavailable_and_the_next_one_is_believed"
_TROUBLE = "tests/registering/trouble/test_trouble.py"
_DELIVERY = "tests/discord/test_delivery.py"
_REFUSED = "tests/discord/test_refused.py"
_LOCAL = "tests/standins/test_local_discord.py"
_WORKER = "tests/jobs/test_worker.py"
_MEDIA = "tests/storage/test_media.py"
_AWAY = "tests/discord/test_undelivered.py::test_a_delivery_is_tried_for_as_long_as_discord_is_away"
_FILE = "tests/drawing/test_cdn.py::test_a_file_server_in_trouble_costs_another_try_and_no_half_file"
_NO_STATUS = "- it has no HTTP status"
_LOCAL_FILE = "- it is a file of this machine"
_HASHED = "- only bytes come from it, and they are hashed"

MATRIX: Mapping[str, Mapping[str, str]] = {
    "BFL": {
        "lost answer": f"{_DRAWING}::test_an_order_that_may_have_been_taken_is_never_repeated_by_itself",
        "4xx once": _ODD,
        "5xx": _LOOK,
        "reset": _LOOK,
        "slow": f"{_DRAWING}::test_a_slow_service_is_waited_for_and_the_card_does_not_promise_what_is_over",
        "garbage": _ODD,
        "wrong number": f"{_PAID}::test_a_cost_that_cannot_be_is_not_counted_and_the_admin_is_told",
        "gone for an hour": _GONE,
    },
    "Astria": {
        "lost answer": "tests/finetuning/test_other_trainers.py"
        "::test_a_tune_that_was_made_behind_a_504_is_found_by_its_title_and_not_made_twice",
        "4xx once": _ODD_FINETUNE,
        "5xx": _LOOKS,
        "reset": _LOOKS,
        "slow": "tests/providers/test_astria.py::test_an_order_without_an_answer_is_uncertain",
        "garbage": _ODD_FINETUNE,
        "wrong number": _ODD_FINETUNE,
        "gone for an hour": _GONE,
    },
    "Vimmerse": {
        "lost answer": "tests/finetuning/test_other_trainers.py"
        "::test_what_vimmerse_does_not_list_only_a_person_can_settle",
        "4xx once": _ODD_TRAINING,
        "5xx": _LOOKS,
        "reset": _LOOKS,
        "slow": "tests/providers/test_vimmerse_drawing.py"
        "::test_a_service_that_does_not_answer_may_have_taken_the_order",
        "garbage": _ODD_TRAINING,
        "wrong number": _ODD_FINETUNE,
        "gone for an hour": _GONE,
    },
    "Pinata": {
        "lost answer": _UPLOAD,
        "4xx once": f"{_PINATA}::test_what_no_retry_can_mend_is_for_the_admin",
        "5xx": _UPLOAD,
        "reset": _UPLOAD,
        "slow": f"{_PINATA}::test_a_slow_service_is_given_up",
        "garbage": _UPLOAD,
        "wrong number": "- no number of its answers is used",
        "gone for an hour": f"{_TROUBLE}::test_a_service_that_is_away_for_hours_loses_nothing",
    },
    "Kubo": {
        "lost answer": _ADD,
        "4xx once": _ADD,
        "5xx": _ADD,
        "reset": _ADD,
        "slow": f"{_KUBO}::test_a_node_that_does_not_answer_is_given_up",
        "garbage": _ADD,
        "wrong number": "- no number of its answers is used",
        "gone for an hour": "tests/pinning/test_pins.py::test_a_mirror_that_fails_is_named_and_holds_up_nothing",
    },
    "Node": {
        "lost answer": "tests/story/test_answers.py"
        "::test_a_lost_answer_is_no_failure_where_the_node_has_the_transaction",
        "4xx once": _NO_ANSWER,
        "5xx": _NO_ANSWER,
        "reset": "tests/story/test_answers.py::test_whatever_a_node_does_instead_of_answering_there_is_one_token",
        "slow": "tests/story/test_rpc.py::test_a_node_that_hangs_is_given_up",
        "garbage": _NO_ANSWER,
        "wrong number": f"{_NODE}::test_a_result_of_no_form_or_range_is_unavailable_and_the_next_one_is_believed",
        "gone for an hour": f"{_TROUBLE}::test_a_node_that_is_gone_for_an_hour_delays_a_registration_and_nothing_else",
    },
    "Gateway (IPFS)": {
        "lost answer": "- a question has no effect, so a lost answer is one that breaks off: see reset",
        "4xx once": _GATEWAY,
        "5xx": _GATEWAY,
        "reset": _GATEWAY,
        "slow": f"{_TROUBLE}::test_a_gateway_that_is_slow_delays_the_tick_and_nothing_else",
        "garbage": "tests/registering/trouble/test_odd_node.py::test_a_page_of_the_gateway_is_no_verdict_on_the_files",
        "wrong number": _HASHED,
        "gone for an hour": f"{_TROUBLE}"
        "::test_a_gateway_that_never_hands_it_out_is_given_up_after_an_hour_without_a_tick",
    },
    "Discord REST": {
        "lost answer": f"{_DELIVERY}::test_a_post_whose_answer_was_lost_is_found_again_and_not_repeated",
        "4xx once": f"{_REFUSED}::test_a_card_whose_edit_was_refused_once_is_edited_again",
        "5xx": f"{_DELIVERY}::test_trouble_at_discord_is_nobodys_fault_and_the_next_try_delivers",
        "reset": "tests/discord/test_broken_connections.py::test_one_dropped_connection_is_not_noticed",
        "slow": "tests/discord/test_first_answer.py::test_no_press_waits_for_discord_before_its_first_answer",
        "garbage": "",
        "wrong number": "- ids and times come from discord.py, which reads them",
        "gone for an hour": _AWAY,
    },
    "Discord gateway": {
        "lost answer": f"{_LOCAL}::test_an_event_can_be_lost_on_its_way",
        "4xx once": _NO_STATUS,
        "5xx": _NO_STATUS,
        "reset": f"{_LOCAL}::test_an_interaction_missed_during_a_disconnect_is_replayed",
        "slow": f"{_LOCAL}::test_an_answer_after_three_seconds_is_refused",
        "garbage": "- discord.py reads it",
        "wrong number": "- discord.py reads it",
        "gone for an hour": f"{_REFUSED}::test_nothing_is_delivered_before_discord_has_named_its_channels",
    },
    "CDN": {
        "lost answer": "- a question has no effect, so a lost answer is one that breaks off: see reset",
        "4xx once": "tests/drawing/test_bad_input.py::test_a_file_that_discord_no_longer_has_is_asked_for_again",
        "5xx": _FILE,
        "reset": _FILE,
        "slow": "",
        "garbage": "tests/drawing/test_bad_input.py::test_a_reference_that_is_no_usable_picture",
        "wrong number": "tests/registering/test_verify.py::test_what_is_too_large_is_not_even_fetched",
        "gone for an hour": "- what a member attached is asked for at once, or not at all",
    },
    "Database": {
        "lost answer": f"{_WORKER}::test_an_order_whose_receipt_cannot_be_written_may_have_been_charged",
        "4xx once": _LOCAL_FILE,
        "5xx": _LOCAL_FILE,
        "reset": "tests/crash/drawing/test_crash_drawing.py::test_killed_at_any_moment",
        "slow": f"{_WORKER}::test_a_silent_worker_loses_its_job_when_the_lease_ends_and_cannot_pay_for_it_afterwards",
        "garbage": "tests/storage/test_migrations.py::test_a_database_of_a_newer_bot_is_left_alone",
        "wrong number": "- numbers were checked before they were stored",
        "gone for an hour": f"{_WORKER}::test_the_worker_survives_a_database_that_fails_for_a_while",
    },
    "Disk": {
        "lost answer": f"{_MEDIA}::test_bytes_are_on_disk_before_they_get_their_name_and_the_name_before_the_answer",
        "4xx once": _LOCAL_FILE,
        "5xx": "tests/pictures/test_pictures.py::test_a_failing_disk_is_not_blamed_on_the_picture",
        "reset": f"{_MEDIA}::test_a_process_killed_before_the_rename_leaves_no_half_file",
        "slow": "- every file is written in a thread, and nothing waits for it with a limit",
        "garbage": f"{_MEDIA}::test_a_damaged_file_is_never_handed_out",
        "wrong number": f"{_MEDIA}::test_a_file_that_was_cut_short_is_replaced",
        "gone for an hour": f"{_MEDIA}::test_a_full_disk_leaves_nothing_behind",
    },
    "Clock": {
        "lost answer": "- it is asked in this process",
        "4xx once": "- it is asked in this process",
        "5xx": "- it is asked in this process",
        "reset": "- it is asked in this process",
        "slow": f"{_WORKER}::test_patience_with_what_is_paid_for_begins_when_it_was_ordered",
        "garbage": "- it gives a number in any case",
        "wrong number": "tests/jobs/test_clock_steps.py::test_a_restart_at_another_time_goes_on_with_what_is_paid_for",
        "gone for an hour": "tests/jobs/test_clock_steps.py::test_patience_is_measured_in_time_that_has_passed",
    },
}


_EXPLAINED = (
    "A row for each thing that the bot depends on, a column for each way to fail. ● is a test, named below; – is a "
    "fault that does not apply, with the reason below; ○ has no test yet. `make chaos` meets many of them at once, at "
    "moments that nobody chose."
)


def print_matrix() -> str:
    """The table as Markdown: who is in trouble, how, and the test of it."""
    cells = [cell for row in MATRIX.values() for cell in row.values()]
    tests = sum(cell.startswith("tests/") for cell in cells)
    lines = [
        "# What happens when something fails",
        "",
        _EXPLAINED,
        "",
        f"{tests} tests, {cells.count('')} cells without one. Printed from `tests/documents/fault_matrix.py`.",
        "",
        f"| | {' | '.join(FAULTS)} |",
        f"|---|{'---|' * len(FAULTS)}",
        *(f"| {name} | {' | '.join(_mark(row[fault]) for fault in FAULTS)} |" for name, row in MATRIX.items()),
    ]
    for name, row in MATRIX.items():
        lines += ["", f"## {name}", ""]
        lines += [f"- **{fault}**: {_describe(row[fault])}" for fault in FAULTS]
    return "\n".join(lines) + "\n"


def _mark(cell: str) -> str:
    return "○" if not cell else "–" if cell.startswith("-") else "●"


def _describe(cell: str) -> str:
    if not cell:
        return "no test yet"
    if cell.startswith("-"):
        return f"does not apply: {cell.removeprefix('- ')}"
    file, _, name = cell.partition("::")
    return f"{name.removeprefix('test_').replace('_', ' ')} (`{file}`)"

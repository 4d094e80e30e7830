"""What is paid for, how often, and within which limits."""

from tests.mutants.mutant import Mutant

MONEY = (
    Mutant(
        guard="a budget counts what is asked for",
        file="bot/workflows/community/limits.py",
        text="if spent + cost > community.daily_budget:",
        becomes="if spent > community.daily_budget:",
        test="tests/community/test_limits.py::test_a_budget_counts_every_picture_that_is_asked_for",
    ),
    Mutant(
        guard="a member's pictures at once",
        file="bot/workflows/community/limits.py",
        text="if under_way + count > community.member_pictures:",
        becomes="if under_way >= community.member_pictures:",
        test="tests/community/test_limits.py::test_a_member_has_so_many_pictures_at_once",
    ),
    Mutant(
        guard="a member's pictures a day",
        file="bot/workflows/community/limits.py",
        text="if today + count > community.member_daily:",
        becomes="if today >= community.member_daily:",
        test="tests/community/test_limits.py::test_a_member_has_so_many_pictures_a_day_and_failures_do_not_count",
    ),
    Mutant(
        guard="a moderator is asked above a price",
        file="bot/workflows/community/limits.py",
        text="return community.confirm_above is not None and cost > community.confirm_above",
        becomes="return False",
        test="tests/reviewing/test_queue.py::test_only_what_is_dearer_than_the_limit_waits",
    ),
    Mutant(
        guard="a price that nobody knows is asked about",
        file="bot/workflows/finetuning/starting.py",
        text="asks = unpriced or (limit is not None",
        becomes="asks = (limit is not None",
        test="tests/finetuning/test_guards.py::test_a_training_without_a_price_is_asked_about_where_money_is_limited",
    ),
    Mutant(
        guard="a request costs as much as all its pictures",
        file="bot/workflows/drawing/verbs.py",
        text="return self.price * self.request.count",
        becomes="return self.price",
        test="tests/community/test_limits.py::test_a_budget_counts_every_picture_that_is_asked_for",
    ),
    Mutant(
        guard="limits are looked at again in the transaction that accepts",
        file="bot/workflows/drawing/verbs.py",
        text="await _check_limits(tx.db, origin, checked, now=tx.now)",
        becomes="pass",
        test="tests/community/test_limits.py::test_many_at_once_do_not_slip_past_a_limit_together",
    ),
    Mutant(
        guard="a training counts against the budget",
        file="bot/workflows/finetuning/starting.py",
        text="await check_budget(tx.db, community, guild_id=guild_id, cost=cost, now=tx.now)",
        becomes="pass",
        test="tests/finetuning/test_guards.py::test_a_training_beyond_the_budget_is_not_started",
    ),
    Mutant(
        guard="a payment is not begun twice",
        file="bot/jobs/journal.py",
        text=("        if not begun:\n            raise LostLease\n"),
        becomes="",
        test="tests/jobs/test_worker.py::test_a_silent_worker_loses_its_job_when_the_lease_ends_and_cannot_pay_for_it_afterwards",
    ),
    Mutant(
        guard="a payment that was interrupted is not repeated",
        file="bot/jobs/journal.py",
        text=('            raise Uncertain("The bot was interrupted while this was being ordered.")\n'),
        becomes=(
            "            async with self._database.write() as db:\n"
            "                await steps.forget(db, job_id=self._job.id, name=name)\n"
        ),
        test="tests/storage/test_guards.py::test_a_payment_that_a_death_has_cut_in_two_is_not_made_again",
    ),
    Mutant(
        guard="a lost answer keeps the mark of a payment",
        file="bot/jobs/journal.py",
        text="except (Refused, Unavailable, Broken):",
        becomes="except (Refused, Unavailable, Broken, Uncertain):",
        test="tests/storage/test_guards.py::test_a_payment_without_an_answer_keeps_its_mark",
    ),
    Mutant(
        guard="a receipt that cannot be written leaves the outcome unknown",
        file="bot/jobs/journal.py",
        text='            raise Uncertain("It was ordered, but the bot could not keep the receipt.") from error',
        becomes='            raise Unavailable("Once more.") from error',
        test="tests/jobs/test_worker.py::test_an_order_whose_receipt_cannot_be_written_may_have_been_charged",
    ),
    Mutant(
        guard="what was ordered cannot be cancelled",
        file="storage/base/queue.py",
        text=("            AND NOT EXISTS (SELECT 1 FROM steps WHERE steps.job_id = jobs.id AND pays)\n"),
        becomes="",
        test="tests/storage/test_guards.py::test_what_has_begun_to_pay_is_not_cancelled",
    ),
    Mutant(
        guard="a known charge is never changed",
        file="storage/base/ledger.py",
        text=("            WHERE ledger.amount IS NULL\n"),
        becomes="",
        test="tests/storage/test_guards.py::test_what_a_job_has_cost_is_written_down_once_unless_nobody_knew_it",
    ),
    Mutant(
        guard="an order without an answer may be taken",
        file="bot/http/client.py",
        text=('            if pays:\n                raise Uncertain(f"{self._name} did not confirm'),
        becomes=('            if False:\n                raise Uncertain(f"{self._name} did not confirm'),
        test="tests/http/test_http.py::test_an_order_whose_answer_is_lost_is_uncertain_and_a_question_may_be_asked_again",
    ),
    Mutant(
        guard="an order with an unreadable receipt may be taken",
        file="bot/http/client.py",
        text=('            if pays:\n                raise Uncertain(f"{self._name} took the order'),
        becomes=('            if False:\n                raise Uncertain(f"{self._name} took the order'),
        test="tests/http/test_http.py::test_an_answer_in_another_form_is_uncertain_for_an_order_and_a_bug_for_a_question",
    ),
    Mutant(
        guard="an order that failed with 500 may be taken",
        file="bot/http/client.py",
        text=("                if pays:\n                    return Uncertain("),
        becomes=("                if False:\n                    return Uncertain("),
        test="tests/http/test_http.py::test_a_status_becomes_an_error_by_whether_money_can_have_moved",
    ),
    Mutant(
        guard="only whoever holds the lease pays",
        file="storage/base/steps.py",
        text="WHERE id = :job_id AND state = 'running' AND lease_holder = :holder",
        becomes="WHERE id = :job_id AND state = 'running'",
        test="tests/storage/test_guards.py::test_only_the_worker_that_runs_a_job_begins_to_pay_for_it",
    ),
)

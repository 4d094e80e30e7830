"""Who may do what."""

from tests.mutants.mutant import Mutant

RIGHTS = (
    Mutant(
        guard="nobody decides on their own request",
        file="bot/workflows/reviewing/verbs.py",
        text="if review.requested_by == who.user_id and not who.administrator:",
        becomes="if False:",
        test="tests/reviewing/test_decisions.py::test_other_kinds_keep_the_rule_that_nobody_decides_on_their_own_request",
    ),
    Mutant(
        guard="only a moderator decides",
        file="bot/workflows/reviewing/verbs.py",
        text="community.moderator_role_id is not None and community.moderator_role_id in who.role_ids",
        becomes="True",
        test="tests/reviewing/test_queue.py::test_who_is_no_moderator_or_no_longer_one_decides_nothing",
    ),
    Mutant(
        guard="a question is its own community's",
        file="bot/workflows/reviewing/verbs.py",
        text="        if review.guild_id != who.guild_id:",
        becomes="        if False:",
        test="tests/reviewing/test_guards.py::test_a_question_is_decided_by_moderators_of_its_own_server",
    ),
    Mutant(
        guard="only the member answers a moderator",
        file="bot/workflows/reviewing/verbs.py",
        text="if review.requested_by != by:",
        becomes="if False:",
        test="tests/reviewing/test_decisions.py::test_only_one_question_is_open_at_a_time_and_only_its_member_answers_it_once",
    ),
    Mutant(
        guard="several denials are one community's",
        file="bot/workflows/reviewing/verbs.py",
        text="if review is None or review.guild_id != who.guild_id:",
        becomes="if review is None:",
        test="tests/reviewing/test_decisions.py::test_one_who_moderates_here_denies_nothing_of_another_server",
    ),
    Mutant(
        guard="who must not decide must not reserve",
        file="bot/workflows/reviewing/verbs.py",
        text=("            if standing.bar:\n                raise Refused(standing.bar)\n        return review"),
        becomes="        return review",
        test="tests/reviewing/test_decisions.py::test_nobody_decides_where_there_is_an_objection_to_them_not_even_an_administrator",
    ),
    Mutant(
        guard="only the owner starts a training",
        file="bot/workflows/finetuning/starting.py",
        text=(
            "        if view is None or view.finetune.owner_id != by:\n"
            '            raise Refused("Only the owner of a finetune can start'
        ),
        becomes=('        if view is None:\n            raise Refused("Only the owner of a finetune can start'),
        test="tests/finetuning/test_guards.py::test_only_the_owner_starts_and_stops_a_training",
    ),
    Mutant(
        guard="only the owner stops a training",
        file="bot/workflows/finetuning/starting.py",
        text=(
            "        if view is None or view.finetune.owner_id != by:\n"
            '            raise Refused("Only the owner of a finetune can stop'
        ),
        becomes=('        if view is None:\n            raise Refused("Only the owner of a finetune can stop'),
        test="tests/finetuning/test_guards.py::test_only_the_owner_starts_and_stops_a_training",
    ),
    Mutant(
        guard="only the owner changes a finetune",
        file="bot/workflows/finetuning/verbs.py",
        text="if view.finetune.owner_id != by:",
        becomes="if False:",
        test="tests/finetuning/test_guards.py::test_only_the_owner_changes_a_finetune",
    ),
    Mutant(
        guard="only who may draws with a finetune",
        file="bot/workflows/finetuning/verbs.py",
        text="if view is None or view.finetune.guild_id != guild_id or not may:",
        becomes="if view is None:",
        test="tests/finetuning/test_living.py::test_a_private_finetune_is_its_owners_alone_until_it_is_shared",
    ),
    Mutant(
        guard="a frozen finetune draws nothing",
        file="bot/workflows/finetuning/verbs.py",
        text="        if view.finetune.frozen_at is not None:",
        becomes="        if False:",
        test="tests/finetuning/test_living.py::test_a_contributor_who_withdraws_freezes_it_until_a_moderator_keeps_it",
    ),
    Mutant(
        guard="a finetune is looked at again when its turn comes",
        file="bot/workflows/drawing/picture_job.py",
        text="finetune.state is not FinetuneState.READY or finetune.frozen_at is not None:",
        becomes="finetune.state is not FinetuneState.READY:",
        test="tests/finetuning/test_rights.py::test_a_picture_that_waited_is_not_drawn_with_a_finetune_that_was_frozen_meanwhile",
    ),
    Mutant(
        guard="only the owner registers a picture",
        file="bot/workflows/registering/verbs.py",
        text="if image.owner_id != origin.user_id:",
        becomes="if False:",
        test="tests/registering/test_job.py::test_nobody_but_the_owner_sees_edits_submits_or_withdraws",
    ),
    Mutant(
        guard="a draft is its owner's alone",
        file="bot/workflows/registering/verbs.py",
        text="if registration is None or registration.owner_id != owner_id:",
        becomes="if registration is None:",
        test="tests/registering/test_job.py::test_nobody_but_the_owner_sees_edits_submits_or_withdraws",
    ),
    Mutant(
        guard="only the owner withdraws",
        file="bot/workflows/registering/verbs.py",
        text="        if view.registration.owner_id != by:",
        becomes="        if False:",
        test="tests/registering/test_guards.py::test_only_its_owner_takes_a_registration_back_answers_and_begins_again",
    ),
    Mutant(
        guard="only the owner and moderators try again",
        file="bot/workflows/registering/verbs.py",
        text="if view is None or not (moderator or view.registration.owner_id == by):",
        becomes="if view is None:",
        test="tests/registering/test_guards.py::test_only_its_owner_and_moderators_try_again_what_was_approved_and_has_failed",
    ),
    Mutant(
        guard="the same bytes are registered once",
        file="bot/workflows/registering/verbs.py",
        text=("        await self._check_free_in(db, registration.sha256)\n\n\ndef"),
        becomes=("        pass\n\n\ndef"),
        test="tests/registering/test_people.py::test_two_members_who_submit_the_same_picture_at_once_get_one_registration",
    ),
    Mutant(
        guard="only who pays may pay twice",
        file="cogs/drawing/buttons.py",
        text="if view.uncertain and interaction.user.id != view.job.owner_id:",
        becomes="if False:",
        test="tests/drawing/test_failures.py::test_after_it_was_ordered_a_failure_may_cost_something_and_only_its_owner_repeats_it",
    ),
    Mutant(
        guard="a wallet's signature is by that wallet",
        file="bot/story/ownership.py",
        text="if _recover(variant, signature) == wallet:",
        becomes="if _recover(variant, signature):",
        test="tests/registering/wallets/test_wallet.py::test_another_wallets_signature_links_nothing_and_may_be_tried_again",
    ),
    Mutant(
        guard="a signature is good once",
        file="bot/workflows/registering/wallets.py",
        text="        if asked.used:",
        becomes="        if False:",
        test="tests/registering/wallets/test_wallet.py::test_a_signature_is_good_once",
    ),
    Mutant(
        guard="a message to sign is good for a while",
        file="bot/workflows/registering/wallets.py",
        text="if asked.expires_at <= self._clock.now():",
        becomes="if False:",
        test="tests/registering/wallets/test_wallet.py::test_a_message_is_good_for_its_time_alone",
    ),
    Mutant(
        guard="a callback's address is ours",
        file="bot/web.py",
        text='if not self._callbacks.genuine(provider, job_id, request.match_info["token"]):',
        becomes="if False:",
        test="tests/base/test_web.py::test_an_address_of_another_job_or_provider_is_as_unknown_as_any",
    ),
    Mutant(
        guard="a callback's secret is right",
        file="bot/web.py",
        text='return hmac.compare_digest(given.encode(errors="replace"), secret.encode())',
        becomes="return True",
        test="tests/base/test_web.py::test_a_wrong_secret_of_bfl_counts_as_unknown_and_the_right_one_as_genuine",
    ),
    Mutant(
        guard="a callback's signature is right",
        file="bot/web.py",
        text='return hmac.compare_digest(signature.encode(errors="replace"), right.encode())',
        becomes="return True",
        test="tests/base/test_web.py::test_a_wrong_secret_of_bfl_counts_as_unknown_and_the_right_one_as_genuine",
    ),
)

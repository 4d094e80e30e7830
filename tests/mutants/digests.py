"""What was shown is what counts, and bytes are the bytes that they are said to be."""

from tests.mutants.mutant import Mutant

DIGESTS = (
    Mutant(
        guard="a decision counts for what was shown",
        file="bot/workflows/reviewing/verbs.py",
        text="if len(digest) < 8 or not review.digest.startswith(digest):",
        becomes="if False:",
        test="tests/reviewing/test_guards.py::test_a_decision_about_something_else_than_what_was_shown_is_refused",
    ),
    Mutant(
        guard="a question is decided once",
        file="storage/reviewing/reviews.py",
        text="WHERE id = :id AND state = 'open' AND digest = :digest AND (expires_at",
        becomes="WHERE id = :id AND digest = :digest AND (expires_at",
        test="tests/storage/test_guards.py::test_a_question_is_decided_once",
    ),
    Mutant(
        guard="the table decides for the digest alone",
        file="storage/reviewing/reviews.py",
        text="WHERE id = :id AND state = 'open' AND digest = :digest AND (expires_at",
        becomes="WHERE id = :id AND state = 'open' AND (expires_at",
        test="tests/storage/test_guards.py::test_a_question_is_decided_with_the_digest_that_it_has",
    ),
    Mutant(
        guard="a question that another moderator holds is theirs",
        file="storage/reviewing/reviews.py",
        text=(
            "            AND (claimed_by IS NULL OR claimed_by = :by OR claimed_until < :now OR :state = 'withdrawn')\n"
        ),
        becomes="",
        test="tests/storage/test_guards.py::test_a_question_that_is_claimed_is_decided_by_its_claimant",
    ),
    Mutant(
        guard="a question whose time is over is not decided",
        file="storage/reviewing/reviews.py",
        text="AND digest = :digest AND (expires_at >= :now OR :state = 'withdrawn')",
        becomes="AND digest = :digest",
        test="tests/storage/test_guards.py::test_a_question_is_decided_in_its_time",
    ),
    Mutant(
        guard="a training starts with what was shown",
        file="bot/workflows/finetuning/starting.py",
        text="if not view.is_shown(digest):",
        becomes="if False:",
        test="tests/finetuning/test_training_story.py::test_nothing_is_started_but_what_the_card_showed",
    ),
    Mutant(
        guard="a training set that changed while it was packed does not start",
        file="bot/workflows/finetuning/starting.py",
        text="if fresh is None or fresh.digest != view.digest or fresh.finetune.frozen_at is not None:",
        becomes="if fresh is None:",
        test="tests/finetuning/test_guards.py::test_a_set_that_changes_while_it_is_packed_is_not_started",
    ),
    Mutant(
        guard="a registration is submitted as it was shown",
        file="bot/workflows/registering/verbs.py",
        text="if len(digest) < 8 or not terms.digest.startswith(digest):",
        becomes="if False:",
        test="tests/registering/test_job.py::test_a_draft_that_has_changed_is_not_submitted_as_it_was_shown",
    ),
    Mutant(
        guard="what was approved is what is pinned",
        file="bot/workflows/registering/job.py",
        text="if not approved or len(digests) > 1:",
        becomes="if not approved:",
        test="tests/registering/test_guards.py::test_nothing_is_pinned_that_is_not_what_was_approved",
    ),
    Mutant(
        guard="a stored file has the bytes that it was stored with",
        file="storage/media.py",
        text="if hashlib.sha256(content).hexdigest() != sha256:",
        becomes="if False:",
        test="tests/storage/test_media.py::test_a_damaged_file_is_never_handed_out",
    ),
    Mutant(
        guard="what is pinned under a strange name is read back",
        file="bot/pinning/pins.py",
        text="if await asyncio.to_thread(sha256_of, path) != sha256:",
        becomes="if False:",
        test="tests/pinning/test_pins.py::test_what_cannot_be_proven_is_refused",
    ),
    Mutant(
        guard="a damaged file is not pinned",
        file="bot/pinning/pins.py",
        text="if (cids.sha256, cids.size) != (file.sha256, file.size):",
        becomes="if False:",
        test="tests/pinning/test_pins.py::test_a_damaged_or_missing_file_is_not_uploaded",
    ),
    Mutant(
        guard="a raw CID is the hash of these bytes",
        file="bot/pinning/pins.py",
        text="if hashed_so and cid.multihash[2:].hex() != sha256:",
        becomes="if False:",
        test="tests/pinning/test_pins.py::test_a_wrong_raw_cid_is_not_believed_though_these_bytes_are_handed_out_for_it",
    ),
)

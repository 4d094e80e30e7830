"""What comes from outside has a size and a range."""

from tests.mutants.mutant import Mutant

RANGES = (
    Mutant(
        guard="a node's number has a range",
        file="bot/story/node/forms.py",
        text="        if not least <= _read_quantity(value) <= most:",
        becomes="        if not least <= _read_quantity(value):",
        test="tests/story/test_odd_answers.py::test_a_result_of_no_form_or_range_is_unavailable_and_the_next_one_is_believed",
    ),
    Mutant(
        guard="a node's amount has a range",
        file="bot/story/node/forms.py",
        text="AfterValidator(_check_within(0, MOST_WEI))",
        becomes="AfterValidator(_check_within(0, 10**400))",
        test="tests/story/test_odd_answers.py::test_a_result_of_no_form_or_range_is_unavailable_and_the_next_one_is_believed",
    ),
    Mutant(
        guard="a gas estimate is tried before it is signed",
        file="bot/story/sending/sender.py",
        text="if not isinstance(await self._chain.call(call, sender=address, gas=limit), Revert):",
        becomes="if True:",
        test="tests/story/test_stuck.py::test_an_estimate_that_is_too_low_by_half_is_noticed_before_it_is_paid",
    ),
    Mutant(
        guard="a file from outside has a size",
        file="bot/http/client.py",
        text="if size > cap:",
        becomes="if False:",
        test="tests/http/test_http.py::test_a_file_beyond_the_cap_is_given_up",
    ),
    Mutant(
        guard="an answer has a size",
        file="bot/http/client.py",
        text="            if len(answer) > REPLY_CAP:",
        becomes="            if False:",
        test="tests/http/test_http.py::test_an_answer_of_the_right_form_is_read_to_its_cap_and_no_further",
    ),
    Mutant(
        guard="a safety tolerance has a cap",
        file="bot/workflows/community/limits.py",
        text=("    if tolerance <= most:\n        return"),
        becomes=("    if tolerance <= 99:\n        return"),
        test="tests/community/test_limits.py::test_a_safety_tolerance_is_capped_by_the_community",
    ),
    Mutant(
        guard="open channels have a lower cap",
        file="bot/workflows/community/limits.py",
        text="return community.safety_cap if nsfw else min(community.safety_cap, OPEN_SAFETY)",
        becomes="return community.safety_cap",
        test="tests/community/test_limits.py::test_a_safety_tolerance_is_capped_by_the_community",
    ),
    Mutant(
        guard="a prompt has a length",
        file="bot/providers/catalogue.py",
        text="if len(prompt) > model.prompt_limit:",
        becomes="if False:",
        test="tests/providers/test_catalogue.py::test_what_cannot_be_drawn_is_refused_with_one_sentence_that_says_what_can",
    ),
    Mutant(
        guard="a parameter has a range",
        file="bot/providers/parameters.py",
        text='            raise Refused(f"{self.label} must be {self.range}.")',
        becomes="            pass",
        test="tests/providers/test_catalogue.py::test_every_default_and_both_ends_of_every_range_are_accepted_and_what_is_beyond_is_not",
    ),
    Mutant(
        guard="a picture has a number of pixels",
        file="bot/pictures/decode.py",
        text="if pixels > limits.pixels:",
        becomes="if False:",
        test="tests/pictures/test_pictures.py::test_what_cannot_be_a_reference_is_refused_in_one_sentence",
    ),
    Mutant(
        guard="a picture's decoding takes so much memory",
        file="bot/pictures/decode.py",
        text="if header.memory(header.scales[-1]) > limits.memory:",
        becomes="if False:",
        test="tests/pictures/test_pictures.py::test_what_cannot_be_a_reference_is_refused_in_one_sentence",
    ),
    Mutant(
        guard="an archive is unpacked to so many bytes",
        file="bot/pictures/training_sets/archives.py",
        text="> MOST_TOTAL_BYTES:",
        becomes="> 10**15:",
        test="tests/finetuning/training_sets/test_training_set_hostile.py::test_a_hostile_archive_is_refused_by_name_and_costs_little",
    ),
    Mutant(
        guard="a name of a file is a hash",
        file="storage/media.py",
        text="if not _SHA256.fullmatch(sha256):",
        becomes="if False:",
        test="tests/storage/test_media.py::test_only_a_hash_names_a_file",
    ),
    Mutant(
        guard="a link in an archive is not followed",
        file="bot/pictures/training_sets/archives.py",
        text="if info.create_system == _UNIX and stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:",
        becomes="if False:",
        test="tests/finetuning/training_sets/test_training_set_hostile.py::test_a_hostile_archive_is_refused_by_name_and_costs_little",
    ),
)

"""Whom a key is sent to, and who holds a slot or a lease."""

from tests.mutants.mutant import Mutant

HOSTS_AND_SLOTS = (
    Mutant(
        guard="a key goes to the usual port alone",
        file="bot/http/hosts.py",
        text='url.scheme == "https" and url.port == 443 and',
        becomes='url.scheme == "https" and',
        test="tests/http/test_http.py::test_an_address_that_two_readers_could_read_differently_is_refused",
    ),
    Mutant(
        guard="a key goes over https",
        file="bot/http/hosts.py",
        text='ours = url.scheme == "https" and',
        becomes="ours =",
        test="tests/http/test_http.py::test_an_address_that_two_readers_could_read_differently_is_refused",
    ),
    Mutant(
        guard="plain http is for this machine",
        file="bot/http/hosts.py",
        text='if url.scheme == "http" and not _is_loopback(url.raw_host or ""):',
        becomes="if False:",
        test="tests/http/test_http.py::test_an_origin_is_named_exactly_and_plain_http_only_on_this_machine",
    ),
    Mutant(
        guard="a published host is matched whole",
        file="bot/http/hosts.py",
        text="self.published.fullmatch(url.raw_host",
        becomes="self.published.match(url.raw_host",
        test="tests/http/test_http.py::test_an_address_that_two_readers_could_read_differently_is_refused",
    ),
    Mutant(
        guard="an address that two readers read differently is none",
        file="bot/http/hosts.py",
        text=' or re.search(r"[\\s\\\\]", text)',
        becomes="",
        test="tests/http/test_http.py::test_an_address_that_two_readers_could_read_differently_is_refused",
    ),
    Mutant(
        guard="a link is followed to known hosts alone",
        file="bot/http/client.py",
        text="                url = hosts.admit(address)",
        becomes="                url = URL(address)",
        test="tests/http/test_http.py::test_a_download_is_not_redirected_to_a_foreign_host",
    ),
    Mutant(
        guard="a request with a key follows no redirect",
        file="bot/http/client.py",
        text=("                headers=headers,\n                allow_redirects=False,"),
        becomes=("                headers=headers,\n                allow_redirects=True,"),
        test="tests/http/test_http.py::test_a_redirect_of_an_order_is_not_followed",
    ),
    Mutant(
        guard="a link takes so many hops",
        file="bot/http/client.py",
        text="            for _ in range(HOPS + 1):",
        becomes="            for _ in range(99):",
        test="tests/http/test_http.py::test_a_download_follows_three_redirects_and_no_fourth",
    ),
    Mutant(
        guard="an error's text has no key in it",
        file="bot/http/client.py",
        text=("        body = self._without_secrets(body, url)\n"),
        becomes="",
        test="tests/http/test_http.py::test_a_secret_is_in_no_message_traceback_repr_or_log",
    ),
    Mutant(
        guard="a lane has so many slots",
        file="storage/base/queue.py",
        text="AND lane = lanes.name) < lanes.size",
        becomes="AND lane = lanes.name) <= lanes.size",
        test="tests/jobs/test_queue.py::test_a_limit_of_a_lane_and_of_its_pool_is_never_exceeded",
    ),
    Mutant(
        guard="a pool has so many slots",
        file="storage/base/queue.py",
        text="AND beside.pool = lanes.pool) < lanes.pool_size",
        becomes="AND beside.pool = lanes.pool) <= lanes.pool_size",
        test="tests/jobs/test_queue.py::test_a_limit_of_a_lane_and_of_its_pool_is_never_exceeded",
    ),
    Mutant(
        guard="a slot is given back before the download",
        file="bot/workflows/drawing/picture_job.py",
        text="            await step.release_slot()\n            match look.status:\n",
        becomes="            match look.status:\n",
        test="tests/jobs/test_queue_live.py::test_what_is_drawn_and_cannot_be_fetched_yet_holds_no_slot",
    ),
    Mutant(
        guard="a picture that is being drawn keeps its slot",
        file="storage/base/queue.py",
        text="holds_slot = (holds_slot AND :keep_slot)",
        becomes="holds_slot = FALSE",
        test="tests/storage/test_guards.py::test_what_has_begun_to_pay_is_not_cancelled",
    ),
    Mutant(
        guard="only whoever holds the lease ends a job",
        file="storage/base/queue.py",
        text=(
            "        WHERE id = :id AND state = 'running' AND lease_holder = :holder\n"
            '        """,\n'
            "        parameters,"
        ),
        becomes=('        WHERE id = :id AND state = \'running\'\n        """,\n        parameters,'),
        test="tests/storage/test_guards.py::test_only_the_worker_that_runs_a_job_ends_it_and_frees_its_slot",
    ),
    Mutant(
        guard="only whoever holds the lease frees a slot",
        file="storage/base/queue.py",
        text="\"UPDATE jobs SET holds_slot = FALSE WHERE id = :id AND state = 'running' AND lease_holder = :holder\"",
        becomes="\"UPDATE jobs SET holds_slot = FALSE WHERE id = :id AND state = 'running'\"",
        test="tests/storage/test_guards.py::test_only_the_worker_that_runs_a_job_ends_it_and_frees_its_slot",
    ),
    Mutant(
        guard="a living worker's jobs are not taken up",
        file="storage/base/queue.py",
        text="WHERE state = 'running' AND (:all_of_them OR lease_until < :now) RETURNING id",
        becomes="WHERE state = 'running' RETURNING id",
        test="tests/storage/test_guards.py::test_the_jobs_of_a_worker_that_lives_are_not_taken_up",
    ),
    Mutant(
        guard="a member's pictures take turns with others'",
        file="storage/base/queue.py",
        text="CASE WHEN own >= now_served THEN own + 1 ELSE now_served END",
        becomes="now_served",
        test="tests/jobs/test_queue.py::test_fifty_jobs_of_one_member_cost_another_members_first_one_turn",
    ),
)

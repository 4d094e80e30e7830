"""A node that answers wrongly, or not at all, while something is sent: one token all the same."""

import contextlib

import pytest

from bot.errors import Unavailable
from bot.story.registrar import Mined, Reverted
from standins.base.faults import Fault, answers, hangs_up, html, loses_the_answer
from standins.chain import busy, refuses, says, unavailable
from tests.scenes.story import Desk, a_mint, desk, own

__all__ = ["desk", "own"]


LOST = {
    "loses the answer": loses_the_answer(),
    "hangs up": hangs_up(),
    "HTML": html(200),
    "busy": busy(retry_after=7),
    "503": unavailable(),
    "500": answers(500, "no"),
    "no JSON-RPC": answers(200, "[]", content_type="application/json"),
    "empty": answers(200, "", content_type="application/json"),
    "an answer to another question": answers(
        200, '{"jsonrpc":"2.0","id":999999,"result":"0x1"}', content_type="application/json"
    ),
}


@pytest.mark.parametrize("trouble", list(LOST))
@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_estimateGas", "*"])
async def test_whatever_a_node_does_instead_of_answering_there_is_one_token(
    own: Desk, trouble: str, method: str
) -> None:
    own.node.server.faults.append(Fault(method, LOST[trouble]))
    mint = a_mint()

    for _ in range(4):  # the worker, which alone tries again
        with contextlib.suppress(Unavailable):
            if not await own.sender.is_signed("t"):
                await own.sender.save("t", await own.sender.prepare(await own.registrar.call_of(mint)))
            await own.sender.broadcast("t")
            (end,) = await own.settle("t")
            assert isinstance(end, Mined)
            break
        await own.clock.turn(30)
    else:
        pytest.fail("it never came to an end")

    assert await own.supply() == 1
    assert len(await own.attempts("t")) == 1


async def test_a_lost_answer_is_no_failure_where_the_node_has_the_transaction(own: Desk) -> None:
    own.node.server.faults.append(Fault("eth_sendRawTransaction", loses_the_answer()))
    assert isinstance((await own.settle(await own.submit(a_mint())))[0], Mined)


@pytest.mark.parametrize(
    "words",
    [
        "already known",
        "transaction already imported",
        "nonce too low: next nonce 9, tx nonce 3",
        "Nonce too low",
        "replacement transaction underpriced",
        "internal error",
    ],
)
async def test_an_error_after_it_was_taken_is_no_failure(own: Desk, words: str) -> None:
    own.node.server.faults.append(Fault("eth_sendRawTransaction", refuses(words)))

    (end,) = await own.settle(await own.submit(a_mint()))

    assert isinstance(end, Mined)
    assert await own.supply() == 1


async def test_a_transaction_that_the_node_turns_down_for_good_is_told_with_its_words(own: Desk) -> None:
    await own.node.automine(False)
    transaction_id = await own.sign(a_mint())
    own.node.server.faults += [
        Fault("eth_sendRawTransaction", refuses("tx type not supported")),
        Fault("eth_getTransactionByHash", says(None)),
    ]

    with pytest.raises(Unavailable, match="does not take the transaction: tx type not supported"):
        await own.sender.broadcast(transaction_id)


async def test_a_pruned_node_still_names_a_duplicate(own: Desk) -> None:
    await own.node.automine(False)
    one, other = [await own.sign(a_mint("same")) for _ in range(2)]
    for each in (one, other):
        await own.sender.broadcast(each)
    await own.node.mine()
    own.node.server.faults.append(Fault("eth_call", unavailable()))  # of a block that is too old for it

    (end,) = await own.settle(other)

    assert isinstance(end, Reverted)
    assert "registered already" in end.sentence

"""A real node for all tests here, with the hand-made stack in its pods."""

from collections.abc import Iterator

import pytest

from tests.node.node_rig import NodeRig, images
from tests.support import requires
from tests.support.node import node_needs, real_node
from tests.support.node.real_node import Node


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    if why := node_needs.missing():
        pytest.skip(why)
    requires.an_engine()
    with real_node.running(images()) as node, node.network():
        yield node


@pytest.fixture(scope="session")
def whole(node: Node, tmp_path_factory: pytest.TempPathFactory) -> NodeRig:
    rig = NodeRig(tmp_path_factory.mktemp("stack"), node)
    rig.start()
    return rig


@pytest.fixture
def rig(whole: NodeRig) -> Iterator[NodeRig]:
    """The stack with nothing of ours, and again afterwards."""
    yield whole
    whole.mend()
    whole.settle()

"""An engine without processes: it runs a task when its result is asked for, and fails as it is told to."""

from vaecodec.sharding.task import Attempt, attempt


class InThisProcess:
    """failing: {shard: how many of its attempts die first}. asked: every shard that was given, in order."""

    workers = 2

    def __init__(self, folder, plan, failing=()):
        self._arguments, self._failing = (folder.address, plan.id), dict(failing)
        self._waiting, self.asked, self.closed = [], [], False

    def submit(self, shard):
        self._waiting.append(shard)
        self.asked.append(shard)

    def next_done(self, timeout_s):
        shard = self._waiting.pop()  # the order of results is nobody's promise
        if self._failing.get(shard, 0) > 0:
            self._failing[shard] -= 1
            return Attempt(shard, None, "the worker died", again=True)
        return attempt(*self._arguments, shard)

    def close(self):
        self.closed = True

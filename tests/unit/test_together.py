"""Searches on one pool: each gets what it would get alone, and what they ask for together is one batch."""

import threading
from dataclasses import dataclass, field

import pytest

from cellwright.engine.together import together
from cellwright.errors import CanceledError
from cellwright.schema.work import Answer, Task


@dataclass
class Doubling:
    workers: int = 1
    batches: list[int] = field(default_factory=list)

    def map(self, job, tasks, time_limit=None):
        if any(task.inputs["x"] == 13 for task in tasks):
            raise CanceledError("no luck")
        self.batches.append(len(tasks))
        return [Answer("solved", {"y": 2 * task.inputs["x"]}) for task in tasks]


@dataclass(frozen=True)
class Job:
    digest: str = "one"


def search(start, rounds, job=None, running=None):
    """A search that doubles its number so many times, two points at a time."""

    def run(pool):
        x = start
        for _ in range(rounds):
            if running is not None:
                running.append(+1)
                assert sum(running) == 1, "two searches run at the same time"
                running.append(-1)
            first, second = pool.map(job or Job(), [Task("a", {"x": x}), Task("a", {"x": -x})])
            assert second.predicted["y"] == -first.predicted["y"]
            x = first.predicted["y"]
        return x

    return run


def test_each_search_gets_its_own_answers_and_batches_are_shared():
    pool = Doubling()
    assert together([search(1, 3), search(5, 1), search(7, 2)], pool) == [8, 10, 28]
    assert pool.batches == [6, 4, 2]


def test_one_search_alone_needs_no_threads():
    before = threading.active_count()
    assert together([lambda pool: threading.active_count()], Doubling()) == [before]


def test_no_two_searches_run_at_the_same_time():
    running = []
    together([search(x, 5, running=running) for x in range(6)], Doubling())


def test_tasks_of_other_jobs_are_batches_of_their_own():
    pool = Doubling()
    together([search(1, 1), search(2, 1, Job("other")), search(3, 1)], pool)
    assert sorted(pool.batches) == [2, 4]


def test_the_error_of_a_search_ends_the_others_where_they_wait():
    before, cleaned = threading.active_count(), []

    def waiting(pool):
        try:
            return search(1, 100)(pool)
        finally:
            cleaned.append(True)

    def failing(pool):
        search(1, 3)(pool)
        raise ValueError("this one fails")

    with pytest.raises(ValueError, match="this one fails"):
        together([waiting, failing, waiting], Doubling())
    assert cleaned == [True, True]
    assert threading.active_count() == before


def test_the_error_of_the_pool_arrives_and_ends_all():
    before = threading.active_count()
    with pytest.raises(CanceledError, match="no luck"):
        together([search(1, 3), search(13, 3)], Doubling())
    assert threading.active_count() == before


def test_a_search_that_asks_for_nothing_is_over_at_once():
    assert together([lambda pool: "done", search(1, 2)], Doubling()) == ["done", 4]

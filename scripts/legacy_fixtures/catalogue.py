"""The list of fixtures: what each is, which runtimes write it, and how to build it."""


class Fixture:
    """A model to write. `build(k)` returns the model; `prepare(model)` runs after its weights are drawn."""

    def __init__(self, name, runtimes, features, feeds, build, batch=None, prepare=None):
        self.name = name
        self.runtimes = runtimes.split()
        self.features = features
        self.feeds = feeds
        self.build = build
        self.batch = batch
        self.prepare = prepare


FIXTURES = []  # type: list[Fixture]


def fixture(runtimes, features, *feeds, **options):
    """Register the decorated builder under its own name."""

    def register(build):
        FIXTURES.append(Fixture(build.__name__, runtimes, features, feeds, build, **options))
        return build

    return register

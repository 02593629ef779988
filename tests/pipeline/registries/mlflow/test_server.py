"""What is asked of MLflow's client. tests/pipeline/registries/mlflow/test_loop.py asks real servers."""

from types import SimpleNamespace

from pipeline.registries.mlflow import server


class Page(list):
    token = None


class Client:
    """Answers as MLflow's client does, one result a page."""

    def __init__(self, models):
        self._models = models

    def _page(self, found, token):
        index = int(token or 0)
        page = Page(found[index : index + 1])
        page.token = str(index + 1) if index + 1 < len(found) else None
        return page

    def search_model_versions(self, max_results, page_token, filter_string):
        name = filter_string.removeprefix("name=")[1:-1]
        found = [
            SimpleNamespace(name=name, version=number, current_stage=stage, tags={"a": "b"}, run_id="r")
            for number, stage in self._models[name][0]
        ]
        return self._page(found, page_token)

    def get_model_version_download_uri(self, name, version):
        return f"mlflow-artifacts:/{name}/{version}"


def test_all_pages_are_asked_for_and_versions_may_be_texts(monkeypatch):
    models = {
        "it's": ([("10", "None"), ("9", "Production")], [{"alias": "champion", "version": "9"}]),
        "b": ([(1, None)], []),
    }
    monkeypatch.setattr(server, "client_for", lambda uri: Client(models))
    listed = [{"name": name, "aliases": aliases} for name, (_, aliases) in models.items()]
    monkeypatch.setattr(server, "registered_models", lambda uri: listed)
    found = server.read_server("http://127.0.0.1:1")
    assert [(each.name, each.version, each.stage, each.aliases, each.source) for each in found] == [
        ("b", 1, "", (), "mlflow-artifacts:/b/1"),
        ("it's", 9, "Production", ("champion",), "mlflow-artifacts:/it's/9"),
        ("it's", 10, "", (), "mlflow-artifacts:/it's/10"),
    ]

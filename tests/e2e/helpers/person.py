"""People with browsers: each keeps the cookies that it is given, and sends them with every request."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from .counts import Counts, Response
from .request import Request, send_each


@dataclass
class Person:
    cookies: dict[str, str] = field(default_factory=dict)
    versions: list[str | None] = field(default_factory=list)  # that answered, one after the other

    def take(self, response: Response) -> None:
        self.versions.append(response.version)
        for line in response.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value


class Crowd:
    """People who all visit the same site: REQUEST makes the request for someone's cookies."""

    def __init__(self, request: Callable[[Mapping[str, str]], Request], people: Sequence[Person]):
        self._request = request
        self.people = list(people)

    def visit(self, times: int = 1) -> Counts:
        """Everybody, TIMES times. Returns the first time's answers, which are what a lot was drawn for."""
        first: list[Response] = []
        for _ in range(times):
            responses = send_each([self._request(person.cookies) for person in self.people])
            Counts(responses).assert_no_failures()
            for person, response in zip(self.people, responses, strict=True):
                person.take(response)
            first = first or responses
        return Counts(first)

    def forget(self) -> None:
        """What the people have seen so far; not their cookies."""
        for person in self.people:
            person.versions.clear()

    def versions(self) -> Counter[str | None]:
        """Who is on which version, by their last visits."""
        return Counter(person.versions[-1] for person in self.people)

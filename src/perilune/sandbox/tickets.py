"""Tickets: one answer request in flight, from its last body byte to its last answer byte."""

from perilune.sandbox.traffic import Traffic


class Ticket:
    """Holds a place in an account's traffic until it is given back, once."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.is_admitted = False
        self._is_open = True
        traffic.arrive()

    def give_back(self) -> None:
        if self._is_open:
            self._is_open = False
            self.traffic.leave(was_admitted=self.is_admitted)

// One thread is always inside `put`, waiting until there is room for its next message; "take" takes one out.
#include "mailbox.hpp"

#include <moult/moult.hpp>

#include <iostream>
#include <thread>

Mailbox mailbox;
static std::atomic<bool> is_ending = false;

MOULT_UPDATABLE void put(int number) {
  mailbox.is_empty.acquire();
  mailbox.message = std::to_string(number);
  mailbox.is_full.release();
}

MOULT_UPDATABLE void take() {
  mailbox.is_full.acquire();
  std::cout << "message " << mailbox.message << std::endl;
  mailbox.is_empty.release();
}

int main() {
  const moult::Listener listener;
  const std::jthread writer([] {
    for (int number = 1; !is_ending; ++number) put(number);
  });
  for (std::string order; std::cin >> order;) take();
  is_ending = true;
  mailbox.is_empty.release();  // lets the writer out of its call
}

// The new versions: a message names its sender.
#pragma once

#include <moult/moult.hpp>

#include <iostream>
#include <string>

#include "mailbox.hpp"

static std::string new_message(int number) { return "main:" + std::to_string(number); }

static void show_new(const std::string& message) {
  const std::size_t colon = message.find(':');
  std::cout << "message " << message.substr(colon + 1) << " by " << message.substr(0, colon) << std::endl;
}

static void put_v2(int number) {
  mailbox.is_empty.acquire();
  mailbox.message = new_message(number);
  mailbox.is_full.release();
}

static void take_v2() {
  mailbox.is_full.acquire();
  show_new(mailbox.message);
  mailbox.is_empty.release();
}

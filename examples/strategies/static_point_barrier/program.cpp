// Two workers, left and right, write what they are given in brackets: "left WORD", "right WORD". A bracket is opened
// and closed by two functions.
#include <moult/moult.hpp>

#include <iostream>

#include "inbox.hpp"

MOULT_UPDATABLE std::string opened(const std::string& worker) { return worker + " ["; }
MOULT_UPDATABLE std::string closed() { return "]"; }

static void work(const std::string& name, Inbox& inbox) {
  for (;;) {
    moult::static_update_point("between words");
    const std::string word = inbox.take();
    if (word == "stop") return;
    const std::string beginning = opened(name) + word;
    std::cout << beginning + closed() << std::endl;
  }
}

int main() {
  const moult::Listener listener;
  Inbox left;
  Inbox right;
  const moult::Thread left_worker("left", [&] { work("left", left); });
  const moult::Thread right_worker("right", [&] { work("right", right); });
  for (std::string name, word; std::cin >> name >> word;) (name == "left" ? left : right).put(word);
  left.put("stop");
  right.put("stop");
}

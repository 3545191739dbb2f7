// Two workers say what they are told, each with a greeting of its own: "left WORD", "right WORD".
#include <moult/moult.hpp>

#include <iostream>

#include "inbox.hpp"

/// The calling thread's own.
const char*& greeting() {
  static thread_local const char* own = "hello";
  return own;
}

MOULT_UPDATABLE void say(const std::string& worker, const std::string& word) {
  std::cout << worker << ": " << greeting() << " " << word << std::endl;
}

static void work(const std::string& name, Inbox& inbox) {
  for (;;) {
    moult::static_update_point("between words");
    const std::string word = inbox.take();
    if (word == "stop") return;
    say(name, word);
  }
}

int main() {
  const moult::Listener listener;
  Inbox left;
  Inbox right;
  const moult::Thread left_worker({"left", moult::ThreadRole::active}, [&] { work("left", left); });
  const moult::Thread right_worker("right", [&] { work("right", right); });
  for (std::string name, word; std::cin >> name >> word;) (name == "left" ? left : right).put(word);
  left.put("stop");
  right.put("stop");
}

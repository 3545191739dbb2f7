// A new version with static objects of every kind.
#include <cstdlib>
#include <iostream>
#include <memory>

#include "moult/moult.hpp"
#include "program.hpp"
#include "words.hpp"

namespace {

const Words of_the_namespace("namespace");
const Words several[] = {Words("array"), Words("of two")};
thread_local const app::Shared of_the_thread("object of the thread");

std::string greet_v2() {
  static const Words of_the_function("function");
  if (app::shared().name == nullptr || of_the_thread.name == nullptr) std::abort();
  return of_the_namespace.text + " " + of_the_function.text + " " + several[0].text + " " + several[1].text + " " +
         other_words();
}

}  // namespace

MOULT_UPDATE {
  std::atexit([] { app::say("the update's function: " + app::greet()); });
  moult::fetch_manager("main")->add_update(
      std::make_unique<moult::SafeRedefineUpdate>("greeting", &app::greet, &greet_v2));
}

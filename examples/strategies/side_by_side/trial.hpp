// A trial: for some requests both versions of `roman` work side by side, and the old one answers.
#pragma once

#include <moult/moult.hpp>

#include <atomic>
#include <iostream>
#include <string>

std::string roman(int number);  // the program's: the old version
void answer(int number);
static std::string roman_v2(int number);  // the update's

static std::atomic<int> agreed = 0;
static std::atomic<int> differs_at = 0;

static void answer_beside(int number) {
  const std::string old = roman(number);
  if (roman_v2(number) == old)
    ++agreed;
  else
    differs_at = number;
  std::cout << old << " (trial)" << std::endl;
}

static void answer_v2(int number) { std::cout << roman_v2(number) << std::endl; }

/// In force when the versions have agreed three times; where they differ it fails, and so is taken back.
class Trial final : public moult::SafeRedefineUpdate {
 public:
  Trial() : SafeRedefineUpdate("trial", answer, answer_beside) {
    set_patience({.max_tries = 60, .max_postponements = 0});
  }  // a minute

  void preresume_setup() override { std::cout << "trial begins" << std::endl; }

  bool check_over() override {
    if (const int number = differs_at; number != 0)
      throw moult::Error(moult::ErrorCode::invalid_argument, std::to_string(number) + " is " + roman(number) +
                                                                 ", and " + roman_v2(number) + " to the new version");
    return agreed >= 3;
  }
};

/// The new version alone, after a good trial.
class Switch final : public moult::SafeRedefineUpdate {
 public:
  Switch() : SafeRedefineUpdate("roman", {{roman, roman_v2}, {answer, answer_v2}}) {}

  moult::Requirements check_requirements() override {
    return moult::is_applied("trial") ? moult::Requirements::met : moult::Requirements::never;
  }
};

static void try_and_switch() {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  manager.add_update(std::make_unique<Trial>());
  manager.add_update(std::make_unique<Switch>());
}

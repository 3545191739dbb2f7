// The program's part, for the update too.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "moult/moult.hpp"

namespace bare {

struct Note : moult::Updatable<Note, 64> {
  explicit Note(int first) : number(first) {}
  int number;
};

struct Animal {
  Animal() = default;
  Animal(const Animal&) = delete;
  Animal& operator=(const Animal&) = delete;
  virtual ~Animal() = default;
  MOULT_UPDATABLE virtual int legs() const;
};

MOULT_UPDATABLE std::string greeting(const std::string& name);

template <class T>
struct Box {};
enum class Colour { red };

/// What has a type_info of the same name with RTTI and without.
const std::vector<std::pair<std::string, const std::type_info*>>& types_with_rtti();

}  // namespace bare

// What the update's file exports.
struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*redefine)();
  std::unique_ptr<moult::Update> (*convert)();
  std::unique_ptr<moult::Update> (*fail)();
  int (*second_number)(const bare::Note& note);
};

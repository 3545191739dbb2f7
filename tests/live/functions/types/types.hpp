// Functions of a program, and what an update exports that was compiled with other definitions of their classes.
#pragma once

#include <memory>

#include "moult/relinking.hpp"
#include "moult/update.hpp"

namespace app {

struct Couple;
class Form;

Couple* make_couple(int first, int second);
Form* make_form();

MOULT_UPDATABLE int second_of(const Couple& couple);
MOULT_UPDATABLE int pass_on(const Couple& couple);  ///< in a file that does not define Couple
MOULT_UPDATABLE int area_of(const Form& form);
MOULT_UPDATABLE int own_size();  ///< of a class in an unnamed namespace
MOULT_UPDATABLE int age_of_dog();

}  // namespace app

namespace next {

int second_of(const app::Couple& couple);
int area_of(const app::Form& form);
int own_size();
int age_of_dog();

}  // namespace next

struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*second_of)();
  std::unique_ptr<moult::Update> (*pass_on)();
  std::unique_ptr<moult::Update> (*area_of)();
  std::unique_ptr<moult::Update> (*own_size)();
  std::unique_ptr<moult::Update> (*age_of_dog)();
};

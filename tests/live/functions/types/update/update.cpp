#include "moult/updates.hpp"
#include "types.hpp"

namespace {

template <class Function>
std::unique_ptr<moult::Update> redefine(Function* old, Function* replacement) {
  return std::make_unique<moult::SafeRedefineUpdate>("types", old, replacement);
}

}  // namespace

extern "C" const LoadedUpdate loaded_update{
    [] { return redefine(app::second_of, next::second_of); }, [] { return redefine(app::pass_on, next::second_of); },
    [] { return redefine(app::area_of, next::area_of); }, [] { return redefine(app::own_size, next::own_size); },
    [] { return redefine(app::age_of_dog, next::age_of_dog); }};

// Updates of the program that are refused; the macro REFUSED chooses one.
#include <memory>
#include <vector>

#include "moult/moult.hpp"

namespace {

int replacement() { return 2; }
int replacement_of(double) { return 2; }

[[maybe_unused]] moult::Redefinition missing() { return {moult::function<int()>("anwser"), replacement}; }
[[maybe_unused]] moult::Redefinition ambiguous() { return {moult::function<int()>("twin"), replacement}; }
[[maybe_unused]] moult::Redefinition other_signature() {
  return {moult::function<int(double)>("answer"), replacement_of};
}
[[maybe_unused]] moult::Redefinition inlined() { return {moult::function<int()>("copied"), replacement}; }
[[maybe_unused]] moult::Redefinition too_short() { return {moult::function<int()>("short_answer"), replacement}; }
[[maybe_unused]] moult::Redefinition branched() { return {moult::function<int()>("looping_answer"), replacement}; }

}  // namespace

MOULT_UPDATE {
  moult::fetch_manager("main")->add_update(
      std::make_unique<moult::SafeRedefineUpdate>(NAME, std::vector<moult::Redefinition>{REFUSED()}));
}

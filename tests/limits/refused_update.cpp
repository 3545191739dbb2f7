// Updates of the program that are refused; the macro REFUSED chooses one.
#include <memory>
#include <vector>

#include "moult/moult.hpp"

namespace {

int fresh() { return 2; }
int fresh_of(double) { return 2; }

[[maybe_unused]] moult::Redefinition missing() { return {moult::function<int()>("anwser"), fresh}; }
[[maybe_unused]] moult::Redefinition ambiguous() { return {moult::function<int()>("twin"), fresh}; }
[[maybe_unused]] moult::Redefinition other_signature() { return {moult::function<int(double)>("answer"), fresh_of}; }
[[maybe_unused]] moult::Redefinition inlined() { return {moult::function<int()>("copied"), fresh}; }
[[maybe_unused]] moult::Redefinition too_short() { return {moult::function<int()>("short_answer"), fresh}; }
[[maybe_unused]] moult::Redefinition branched() { return {moult::function<int()>("looping_answer"), fresh}; }

}  // namespace

MOULT_UPDATE {
  moult::fetch_manager("main")->add_update(
      std::make_unique<moult::SafeRedefineUpdate>(NAME, std::vector<moult::Redefinition>{REFUSED()}));
}

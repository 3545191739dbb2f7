#include "functions/prepared_redefinition.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "base/opaque.hpp"
#include "functions/function_change.hpp"
#include "moult/error.hpp"
#include "moult/updates.hpp"

namespace moult {
namespace {

class PreparedFunctions final : public internal::PreparedRedefinition {
 public:
  explicit PreparedFunctions(const std::vector<internal::FunctionPair>& pairs)
      : change_(internal::FunctionChange::prepare(pairs)) {}
  void make() override { change_.commit_now(); }

 private:
  internal::FunctionChange change_;
};

}  // namespace

// By value: an author writes a list in braces.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
PreparedRedefinition prepare_redefinition(std::vector<Redefinition> redefinitions) {
  std::vector<internal::FunctionPair> pairs;
  for (const Redefinition& each : redefinitions) pairs.emplace_back(each.replaced(), each.replacement());
  return PreparedRedefinition(std::make_shared<PreparedFunctions>(pairs));
}

void PreparedRedefinition::make() {
  const std::shared_ptr<detail::OpaquePreparedRedefinition> prepared = std::exchange(prepared_, nullptr);
  if (prepared == nullptr)
    throw Error(ErrorCode::invalid_argument,
                "a redefinition is made that is not prepared, or was made already; call prepare_redefinition in "
                "prepare, which precedes each attempt");
  internal::behind<internal::PreparedRedefinition>(*prepared).make();
}

}  // namespace moult

// Progressive accesses that are refused, and the limits of their promise.
#include <chrono>
#include <memory>

#include "moult/alterability.hpp"
#include "moult/progressive_access.hpp"
#include "refusal.hpp"

namespace moult {
namespace subject {

using limits::apply;
using limits::expect_error;

struct Page : Updatable<Page> {
  int number = 5;
};

using Accessor = DataAccessor<Page, Access::progressive>;

TEST(ProgressiveLimits, ASecondAccessToThePoolIsRefusedUntilTheFirstHasEnded) {
  const auto page = std::make_unique<Page>();
  const AccessVisit first = visit_at_first_access<Page>([](Page&) {});
  expect_error(ErrorCode::unsupported,
               {"moult::subject::Page: another progressive access to objects of moult::subject::Page has not ended",
                "drain or end that one first"},
               [] { Accessor(); });
  EXPECT_EQ(page->number, 5);
  first.end();
  EXPECT_FALSE(Accessor().progress().is_done);
}

class InPrepare final : public Update {
 public:
  InPrepare() : Update("in prepare") {}
  void prepare() override {
    visit_at_first_access<Page>([](Page&) {});
  }
  bool check_alterability() override { return true; }
  void apply() override {}
};

TEST(ProgressiveLimits, AnUpdateBeginsNoneInPrepare) {
  const auto page = std::make_unique<Page>();
  limits::expect_refused(apply(std::make_unique<InPrepare>()), ErrorCode::invalid_argument,
                         {"prepare changed or stopped the program", "move that to preupdate_setup or apply"});
  EXPECT_EQ(page->number, 5);
  const Accessor accessor;
  EXPECT_EQ(accessor.progress().objects, 1u) << "and nothing is left of it";
}

TEST(ProgressiveLimits, WhatIsMadeAtTheAddressOfOneThatDiedBeforeItsTurnIsYieldedInItsPlace) {
  auto first = std::make_unique<Page>();
  const Page* const place = first.get();
  const Accessor accessor;
  first.reset();
  const auto second = std::make_unique<Page>();
  ASSERT_EQ(second.get(), place);
  EXPECT_EQ(accessor.next(std::chrono::steady_clock::now() + std::chrono::seconds(60)), second.get());
}

}  // namespace subject
}  // namespace moult

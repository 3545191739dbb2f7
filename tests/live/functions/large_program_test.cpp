// This program has as much debug information as one of a million lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "apply_update.hpp"
#include "moult/error.hpp"
#include "moult/updates.hpp"

// A unit with one entry, which has one attribute of 64 MiB.
asm(R"(
  .pushsection .debug_abbrev,"",@progbits
.Lmuch_abbrev:
  .uleb128 1       # the first abbreviation:
  .uleb128 0x11    # DW_TAG_compile_unit
  .byte 0          # without children
  .uleb128 0x2001  # an attribute for users
  .uleb128 0x04    # DW_FORM_block4
  .byte 0, 0, 0
  .popsection
  .pushsection .debug_info,"",@progbits
  .long .Lmuch_end - .Lmuch_begin
.Lmuch_begin:
  .value 4         # DWARF 4
  .long .Lmuch_abbrev
  .byte 8          # bytes of an address
  .uleb128 1
  .long 64 << 20
  .fill 64 << 20
.Lmuch_end:
  .popsection
)");

namespace moult {
namespace subject {

MOULT_UPDATABLE int one(int x) { return x + 1; }
MOULT_UPDATABLE int two(int x) { return x + 2; }

class RedefinesInTheStop final : public Update {
 public:
  RedefinesInTheStop() : Update("stop") {}
  bool wait_alterability() override { return true; }
  bool check_alterability() override { return true; }
  void apply() override { redefine_function(one, two); }
};

TEST(LargeProgram, AFunctionIsNotSearchedForInAStop) {
  const UpdateReport report = test::apply(std::make_unique<RedefinesInTheStop>());
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::unsupported) << report.reason;
  EXPECT_THAT(report.reason, testing::HasSubstr("MB of debug information"));
  EXPECT_THAT(report.reason, testing::HasSubstr("moult::prepare_redefinition"));
  EXPECT_EQ(one(0), 1);
}

TEST(LargeProgram, AFunctionIsRedefinedByAReadyMadeUpdateAndOutsideOfAStop) {
  const UpdateReport report = test::apply(std::make_unique<SafeRedefineUpdate>("ready", one, two));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(one(0), 2);
  roll_back(report.id);
  redefine_function(one, two);
  EXPECT_EQ(one(0), 2);
}

}  // namespace subject
}  // namespace moult

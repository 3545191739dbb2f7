#include "symbols/unit_filter.hpp"

#include <gmock/gmock.h>

#include "fixtures.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string bytes_of(std::uint32_t number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::vector<std::size_t> places_of(const References& references, std::string_view bytes) {
  std::vector<std::size_t> places;
  references.visit_in(bytes, [&](const char* place) {
    places.push_back(static_cast<std::size_t>(place - bytes.data()));
    return true;
  });
  return places;
}

TEST(References, AreFoundWhereverTheyStand) {
  References references;
  EXPECT_FALSE(references.occur_in(bytes_of(0)));
  references.add(0x12345678);
  references.add(0x00010002);
  const std::string bytes = "." + bytes_of(0x00010002) + ".." + bytes_of(0x12345678);
  EXPECT_THAT(places_of(references, bytes), ElementsAre(1, 7));
  EXPECT_TRUE(references.occur_in(bytes));
}

TEST(References, AreNotFoundByHalfOfTheirBytes) {
  References references;
  references.add(0x12345678);
  EXPECT_FALSE(references.occur_in(bytes_of(0x02345678)));
  EXPECT_FALSE(references.occur_in(bytes_of(0x12345678).substr(0, 3)));
  EXPECT_FALSE(references.occur_in(""));
}

TEST(References, AreFoundAcrossTwoPieces) {
  References references;
  references.add(0x12345678);
  for (std::size_t before = 0; before <= 4; ++before) {
    std::string bytes(2 * FileScan::piece, '\0');
    const std::size_t at = FileScan::piece - before;
    bytes.replace(at, 4, bytes_of(0x12345678));
    EXPECT_THAT(places_of(references, bytes), ElementsAre(at));
  }
}

/// The units of a fixture that may have an entry of that name.
std::size_t count_of_units(const char* program, const std::string& name) {
  const ElfFile file = ElfFile::open(fixture(program));
  const std::unique_ptr<DebugInfo> info = DebugInfo::open(file);
  return UnitFilter(*info, std::vector{name}).naming().size();
}

TEST(UnitFilter, ExcludesTheUnitsWithoutTheName) {
  for (const char* const program : {"inlined_gcc_O2_dwarf5.so", "inlined_gcc_O2_dwarf4.so", "inlined_compressed.so",
                                    "inlined_clang_O2_dwarf4.so", "inlined_clang_O2_dwarf5.so"}) {
    if (!is_built(program)) continue;
    EXPECT_EQ(count_of_units(program, "in_header"), 2U) << program;
    EXPECT_EQ(count_of_units(program, "never_inlined"), 1U) << program;
    EXPECT_EQ(count_of_units(program, "x"), 2U) << program;
    EXPECT_EQ(count_of_units(program, "never_inline"), 0U) << program;
  }
}

TEST(UnitFilter, ExcludesNoneWhereUnitsShareMoreThanStrings) {
  if (!is_built("inlined_shared.so")) GTEST_SKIP() << "dwz is not installed";
  EXPECT_GT(count_of_units("inlined_shared.so", "no_such_name"), 0U);
  EXPECT_GT(count_of_units("inlined_split.so", "no_such_name"), 0U);
}

TEST(UnitFilter, KnowsThePlacesOfReferencesToAName) {
  const ElfFile file = ElfFile::open(fixture("inlined_gcc_O2_dwarf5.so"));
  const std::unique_ptr<DebugInfo> info = DebugInfo::open(file);
  const UnitFilter filter(*info, std::vector<std::string>{"in_header"});
  for (const DebugUnit* const unit : filter.naming()) {
    const auto places = filter.places_in(*unit);
    ASSERT_TRUE(places);
    ASSERT_THAT(*places, SizeIs(1));
    EXPECT_GE(places->front(), unit->bytes.data());
    EXPECT_LT(places->front(), unit->bytes.data() + unit->bytes.size());
  }
  for (const DebugUnit& unit : info->units())
    EXPECT_THAT(*UnitFilter(*info, std::vector<std::string>{"no_such_name"}).places_in(unit), IsEmpty());
}

}  // namespace
}  // namespace moult::internal

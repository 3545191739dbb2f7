#include "code/code_pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uintptr_t page = 4096;
constexpr Protection code = Protection::read | Protection::execute;
constexpr Protection open_code = code | Protection::write;

CodeRange bytes(std::uintptr_t begin, std::uintptr_t size) { return {CodeAddress{begin}, CodeAddress{begin + size}}; }

/// An address space in which only protections exist.
struct FakeSpace {
  std::vector<Mapping> mappings = {{100 * page, 200 * page, code, false, "a"},
                                   {200 * page, 300 * page, code, false, "b"}};
  std::vector<PageGroup> changes;
  bool refuses = false;
  AddressSpace space;

  FakeSpace() {
    space.mappings = [this] { return mappings; };
    space.protect = [this](std::uintptr_t begin, std::size_t size, Protection protection) {
      if (refuses) errno = EACCES;
      if (!refuses) changes.push_back({begin, begin + size, protection});
      return !refuses;
    };
  }
};

TEST(PageGroups, PagesNearEachOtherAreOneGroup) {
  FakeSpace fake;
  std::vector<CodeRange> places = {bytes(110 * page + 8, 6), bytes(101 * page, 6), bytes(110 * page + 99, 6)};
  EXPECT_THAT(group_pages(places, fake.mappings), ElementsAre(PageGroup{101 * page, 111 * page, code}));
}

TEST(PageGroups, PagesFarApartOrInDifferentMappingsAreNot) {
  FakeSpace fake;
  std::vector<CodeRange> places = {bytes(101 * page, 6), bytes(150 * page, 6), bytes(199 * page, 6),
                                   bytes(200 * page, 6)};
  EXPECT_THAT(group_pages(places, fake.mappings),
              ElementsAre(PageGroup{101 * page, 102 * page, code}, PageGroup{150 * page, 151 * page, code},
                          PageGroup{199 * page, 200 * page, code}, PageGroup{200 * page, 201 * page, code}));
}

TEST(PageGroups, APlaceMayLieAcrossTwoPages) {
  FakeSpace fake;
  std::vector<CodeRange> places = {bytes(101 * page - 3, 6)};
  EXPECT_THAT(group_pages(places, fake.mappings), ElementsAre(PageGroup{100 * page, 102 * page, code}));
}

TEST(PageGroups, MemoryThatIsNotMappedIsAnError) {
  FakeSpace fake;
  std::vector<CodeRange> places = {bytes(99 * page, 6)};
  EXPECT_THROW(group_pages(places, fake.mappings), Error);
}

TEST(CodePages, TheyGetTheirProtectionBack) {
  FakeSpace fake;
  CodePages pages(fake.space);
  std::vector<CodeRange> places = {bytes(101 * page, 6), bytes(150 * page, 6)};
  std::vector<std::uintptr_t> opened = pages.open(places);
  EXPECT_THAT(fake.changes,
              ElementsAre(PageGroup{101 * page, 102 * page, open_code}, PageGroup{150 * page, 151 * page, open_code}));
  fake.changes.clear();
  pages.close(opened);
  EXPECT_THAT(fake.changes,
              ElementsAre(PageGroup{101 * page, 102 * page, code}, PageGroup{150 * page, 151 * page, code}));
  EXPECT_EQ(pages.open_pages(), 0u);
}

TEST(CodePages, APageThatTwoUseIsClosedByTheLast) {
  FakeSpace fake;
  CodePages pages(fake.space);
  std::vector<CodeRange> place = {bytes(101 * page, 6)};
  std::vector<std::uintptr_t> first = pages.open(place);
  fake.mappings = {{100 * page, 101 * page, code, false, "a"},
                   {101 * page, 102 * page, open_code, false, "a"},
                   {102 * page, 200 * page, code, false, "a"}};
  std::vector<std::uintptr_t> second = pages.open(place);
  fake.changes.clear();
  pages.close(first);
  EXPECT_THAT(fake.changes, IsEmpty());
  pages.close(second);
  EXPECT_THAT(fake.changes, ElementsAre(PageGroup{101 * page, 102 * page, code}));
}

TEST(CodePages, ARefusalLeavesNothingOpen) {
  FakeSpace fake;
  fake.refuses = true;
  CodePages pages(fake.space);
  std::vector<CodeRange> place = {bytes(101 * page, 6)};
  EXPECT_THROW(pages.open(place), Error);
  EXPECT_EQ(pages.open_pages(), 0u);
}

TEST(CodePages, AFailureHalfWayClosesWhatWasOpened) {
  FakeSpace fake;
  CodePages pages(fake.space);
  std::vector<CodeRange> places = {bytes(101 * page, 6), bytes(150 * page, 6)};
  ArmedFault armed("code.pages.protect", 2);
  EXPECT_THROW(pages.open(places), Error);
  EXPECT_EQ(pages.open_pages(), 0u);
  ASSERT_EQ(fake.changes.size(), 3u);
  EXPECT_EQ(fake.changes[1], (PageGroup{101 * page, 102 * page, code}));
}

TEST(CodePages, RealPagesBecomeWritableAndStayExecutable) {
  void* memory = ::mmap(nullptr, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(memory);
  auto protection = [&] {
    std::vector<Mapping> mappings = address_space().mappings();
    return find_mapping(mappings, begin)->protection;
  };
  CodePages pages(address_space());
  std::vector<CodeRange> place = {bytes(begin, 6)};
  std::vector<std::uintptr_t> opened = pages.open(place);
  EXPECT_EQ(protection(), open_code);
  *static_cast<char*>(memory) = 1;
  pages.close(opened);
  EXPECT_EQ(protection(), code);
  ::munmap(memory, page);
}

}  // namespace
}  // namespace moult::internal

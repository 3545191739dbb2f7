#include "platform/memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace moult::internal {
namespace {

TEST(Mappings, ALineIsReadIntoItsParts) {
  std::vector<Mapping> mappings = parse_mappings(
      "55d0c000-55d0e000 r-xp 00002000 fe:01 1234                       /usr/bin/a program\n"
      "7f0000000000-7f0000001000 rw-s 00000000 00:00 0 \n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  ASSERT_EQ(mappings.size(), 3u);
  EXPECT_EQ(mappings[0],
            (Mapping{0x55d0c000, 0x55d0e000, Protection::read | Protection::execute, false, "/usr/bin/a program"}));
  EXPECT_EQ(mappings[1], (Mapping{0x7f0000000000, 0x7f0000001000, Protection::read | Protection::write, true, ""}));
  EXPECT_EQ(mappings[2].path, "[vsyscall]");
}

TEST(Mappings, LinesThatAreCutShortAreLeftOut) {
  EXPECT_TRUE(parse_mappings("").empty());
  EXPECT_TRUE(parse_mappings("\n55d0c000\n55d0c000-55\n55d0c000-55d0e000 r-\nxyz").empty());
  EXPECT_EQ(parse_mappings("1000-2000 r-xp").size(), 1u);
}

TEST(Mappings, AnAddressIsFoundInItsMappingOnly) {
  std::vector<Mapping> mappings = parse_mappings("1000-2000 r-xp 0 0:0 0\n3000-4000 rw-p 0 0:0 0\n");
  EXPECT_EQ(find_mapping(mappings, 0xfff), nullptr);
  EXPECT_EQ(find_mapping(mappings, 0x1000), &mappings[0]);
  EXPECT_EQ(find_mapping(mappings, 0x2000), nullptr);
  EXPECT_EQ(find_mapping(mappings, 0x3fff), &mappings[1]);
  EXPECT_EQ(find_mapping(mappings, 0x4000), nullptr);
}

TEST(AddressSpace, PagesAreMappedWhereTheyWereAskedForAndNeverOverOthers) {
  const AddressSpace& space = address_space();
  const std::size_t size = page_size();
  // The kernel puts what an allocator asks for meanwhile elsewhere: a hole between two pages is too small for it.
  void* const reserved = ::mmap(nullptr, 3 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(reserved, MAP_FAILED);
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(reserved) + size;
  EXPECT_FALSE(space.map_at(begin, size, Protection::read | Protection::write));
  space.unmap(begin, size);
  ASSERT_TRUE(space.map_at(begin, size, Protection::read | Protection::write));
  std::memset(reinterpret_cast<void*>(begin), 1, size);
  EXPECT_TRUE(space.protect(begin, size, Protection::read));
  std::vector<Mapping> mappings = space.mappings();
  const Mapping* mapping = find_mapping(mappings, begin);
  ASSERT_NE(mapping, nullptr);
  EXPECT_EQ(mapping->protection, Protection::read);
  space.unmap(begin, size);
  mappings = space.mappings();
  EXPECT_EQ(find_mapping(mappings, begin), nullptr);
  ::munmap(reserved, 3 * size);
}

TEST(AddressSpace, MakingPagesPresentKeepsTheirBytesAndBringsThemIn) {
  std::size_t size = 3 * page_size();
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(pages);
  *static_cast<char*>(pages) = 7;
  make_present(begin, begin + size);
  unsigned char present[3] = {};
  ASSERT_EQ(::mincore(pages, size, present), 0);
  EXPECT_EQ(present[0] & present[1] & present[2] & 1, 1);
  EXPECT_EQ(*static_cast<char*>(pages), 7);
  ::munmap(pages, size);
}

TEST(CoreSync, MayBeRegisteredAgainAndUsed) {
  bool works = register_core_sync();
  EXPECT_EQ(register_core_sync(), works);
  sync_cores();
}

}  // namespace
}  // namespace moult::internal

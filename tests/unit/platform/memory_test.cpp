#include "platform/memory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

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

/// A private mapping of a new file with three pages of sevens.
class FileMapping final {
 public:
  FileMapping() {
    const int file = ::memfd_create("three_pages", MFD_CLOEXEC);
    const std::string sevens(size, 7);
    EXPECT_EQ(::write(file, sevens.data(), size), static_cast<ssize_t>(size));
    bytes = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));
    EXPECT_NE(bytes, MAP_FAILED);
    ::close(file);
  }
  ~FileMapping() { ::munmap(bytes, size); }
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(bytes); }
  /// Brings the pages into memory.
  int sum() const { return std::accumulate(bytes, bytes + size, 0); }
  /// How many of them are in memory.
  std::size_t resident() const {
    std::array<std::uint64_t, 3> entries{};
    const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    const auto at = static_cast<off_t>(begin() / page_size() * sizeof entries[0]);
    EXPECT_EQ(::pread(pagemap, entries.data(), sizeof entries, at), static_cast<ssize_t>(sizeof entries));
    ::close(pagemap);
    return static_cast<std::size_t>(
        std::ranges::count_if(entries, [](std::uint64_t each) { return each >> 63U != 0; }));
  }

  const std::size_t size = 3 * page_size();
  char* bytes = nullptr;
};

TEST(FilePages, AreReleasedAndCanBeReadAgain) {
  const FileMapping mapping;
  const int sum = mapping.sum();
  ASSERT_EQ(mapping.resident(), 3u);
  release_file_pages(mapping.begin(), mapping.begin() + mapping.size);
  EXPECT_EQ(mapping.resident(), 0u);
  EXPECT_EQ(mapping.sum(), sum);
}

TEST(FilePages, AreReleasedOnlyWhereTheyAreWhollyInTheRange) {
  const FileMapping mapping;
  const int sum = mapping.sum();
  release_file_pages(mapping.begin() + 1, mapping.begin() + mapping.size - 1);
  EXPECT_EQ(mapping.resident(), 2u);
  release_file_pages(mapping.begin() + 1, mapping.begin() + page_size());
  EXPECT_EQ(mapping.resident(), 2u);
  EXPECT_EQ(mapping.sum(), sum);
}

TEST(FilePages, ThatWereWrittenToAreLeftAlone) {
  const FileMapping mapping;
  mapping.bytes[page_size()] = 8;
  release_file_pages(mapping.begin(), mapping.begin() + mapping.size);
  EXPECT_EQ(mapping.bytes[page_size()], 8);
}

TEST(FilePages, AnonymousMemoryIsLeftAlone) {
  std::vector<char> memory(4 * page_size(), 7);
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(memory.data());
  release_file_pages(begin, begin + memory.size());
  EXPECT_EQ(std::ranges::count(memory, 7), static_cast<std::ptrdiff_t>(memory.size()));
}

TEST(CoreSync, MayBeRegisteredAgainAndUsed) {
  bool works = register_core_sync();
  EXPECT_EQ(register_core_sync(), works);
  sync_cores();
}

}  // namespace
}  // namespace moult::internal

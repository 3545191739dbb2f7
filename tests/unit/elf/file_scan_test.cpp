#include "elf/file_scan.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "platform/memory.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::size_t> places_of(std::string_view text, std::string_view bytes) {
  std::vector<std::size_t> places;
  visit_occurrences(bytes, text, [&](std::size_t at) {
    places.push_back(at);
    return true;
  });
  return places;
}

TEST(FileScan, EveryOccurrenceIsFoundOnceAlsoWhereTwoOverlap) {
  EXPECT_THAT(places_of("aa", "aaabaa"), ElementsAre(0, 1, 4));
  EXPECT_THAT(places_of("aa", "a"), IsEmpty());
  EXPECT_THAT(places_of("aa", ""), IsEmpty());
}

TEST(FileScan, AnOccurrenceAcrossTwoPiecesIsFound) {
  for (const std::string text : {"text", "a longer text"})
    for (std::size_t before = 1; before <= text.size(); ++before) {
      std::string bytes(2 * FileScan::piece, '.');
      const std::size_t at = FileScan::piece - before;
      bytes.replace(at, text.size(), text);
      EXPECT_THAT(places_of(text, bytes), ElementsAre(at));
      EXPECT_TRUE(contains(bytes, text));
    }
}

TEST(FileScan, EndsWhenAVisitReturnsFalse) {
  int visits = 0;
  EXPECT_FALSE(visit_occurrences("aaa", "a", [&](std::size_t) { return ++visits < 2; }));
  EXPECT_EQ(visits, 2);
}

/// The bytes of a file mapping that are in this process's memory.
std::size_t resident(const char* begin, std::size_t size) {
  std::vector<std::uint64_t> pages(size / page_size());
  const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const std::size_t bytes = pages.size() * sizeof pages[0];
  const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(begin) / page_size() * sizeof pages[0]);
  EXPECT_EQ(::pread(pagemap, pages.data(), bytes, at), static_cast<ssize_t>(bytes));
  ::close(pagemap);
  std::size_t count = 0;
  for (const std::uint64_t page : pages) count += page >> 63U;
  return count * page_size();
}

TEST(FileScan, NoMoreThanTwoPiecesOfAFileAreInMemory) {
  const std::size_t size = 8 * FileScan::piece;
  const int file = ::memfd_create("eight_pieces", MFD_CLOEXEC);
  const std::string zeros(size, '\0');
  ASSERT_EQ(::write(file, zeros.data(), size), static_cast<ssize_t>(size));
  const auto* const mapped = static_cast<const char*>(::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0));
  ASSERT_NE(mapped, MAP_FAILED);
  ::close(file);
  const std::string_view bytes(mapped, size);
  FileScan scan(bytes);
  for (std::size_t at = 0; at < size; at += page_size()) {
    scan.pass(mapped + at);
    EXPECT_EQ(bytes[at], 0);
    ASSERT_LE(resident(mapped, size), 2 * FileScan::piece) << at;
  }
  EXPECT_FALSE(contains(bytes, "text"));
  EXPECT_LE(resident(mapped, size), FileScan::piece);
  ::munmap(const_cast<char*>(mapped), size);
}

}  // namespace
}  // namespace moult::internal

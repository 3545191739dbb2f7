#include "elf/notes.hpp"

#include <elf.h>
#include <gmock/gmock.h>

#include <cstring>

namespace moult::internal {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// A note as a linker writes it, with four-byte alignment; `claimed` may differ from the size of the content.
std::string note(std::string owner, std::uint32_t type, std::string content, std::uint32_t claimed) {
  owner.push_back('\0');
  Elf64_Nhdr header{static_cast<std::uint32_t>(owner.size()), claimed, type};
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  for (std::string part : {owner, content}) {
    part.resize((part.size() + 3) & ~std::size_t{3});
    bytes += part;
  }
  return bytes;
}

std::string note(const std::string& owner, std::uint32_t type, const std::string& content) {
  return note(owner, type, content, static_cast<std::uint32_t>(content.size()));
}

TEST(Notes, AreReadOneAfterTheOther) {
  const std::string bytes = note("moult", 2, "abcde") + note("GNU", NT_GNU_BUILD_ID, "\x01\xff");
  const NoteTable table = read_notes(bytes, 4);
  ASSERT_THAT(table.notes, SizeIs(2));
  EXPECT_FALSE(table.is_damaged);
  EXPECT_EQ(table.notes[0].owner, std::string_view("moult\0", 6));
  EXPECT_EQ(table.notes[0].type, 2u);
  EXPECT_EQ(table.notes[0].content, "abcde");
  EXPECT_EQ(build_id_among(table), "01ff");
}

TEST(Notes, ThatClaimMoreThanThereIsAreDamagedAndNotRead) {
  for (const std::uint32_t claimed : {21u, 0x7fffffffu, 0xffffffffu}) {
    const std::string bytes = note("GNU", 1, "abi ") + note("GNU", NT_GNU_BUILD_ID, std::string(20, 'x'), claimed);
    const NoteTable table = read_notes(bytes, 4);
    EXPECT_TRUE(table.is_damaged) << claimed;
    EXPECT_THAT(table.notes, SizeIs(1)) << claimed;
    EXPECT_EQ(build_id_among(table), "") << claimed;
  }
}

TEST(Notes, AnOwnerThatClaimsMoreThanThereIsIsDamaged) {
  std::string bytes = note("GNU", NT_GNU_BUILD_ID, "x");
  bytes[3] = '\x7f';
  EXPECT_TRUE(read_notes(bytes, 4).is_damaged);
  EXPECT_THAT(read_notes(bytes, 8).notes, IsEmpty());
}

TEST(Notes, OnlyZerosMayFollowThem) {
  const std::string bytes = note("moult", 1, "abcd");
  EXPECT_FALSE(read_notes(bytes + std::string(8, '\0'), 4).is_damaged);
  EXPECT_TRUE(read_notes(bytes + "rest", 4).is_damaged);
}

}  // namespace
}  // namespace moult::internal

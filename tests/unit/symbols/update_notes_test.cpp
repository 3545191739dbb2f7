#include "elf/update_notes.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <random>

#include "fixtures.hpp"
#include "moult/error.hpp"
#include "moult/load.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void expect_refused(const std::string& path, ErrorCode code, const std::string& why) {
  try {
    read_update_notes(path);
    FAIL() << path << " was taken for an update";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), AllOf(HasSubstr(path), HasSubstr(why)));
  }
}

TEST(UpdateNotes, SayForWhichMoultAndWhichProgramTheUpdateIs) {
  const UpdateNotes notes = read_update_notes(fixture("update.so"));
  EXPECT_EQ(notes.abi, std::optional<std::uint32_t>(MOULT_ABI_VERSION));
  EXPECT_EQ(notes.target_build_id, "deadbeef01");
  EXPECT_TRUE(notes.has_entry);
}

TEST(UpdateNotes, WhatIsNoFileIsUnreadable) {
  const ScratchFolder folder;
  write(folder.file("empty.so"), "");
  expect_refused(folder.file("missing.so"), ErrorCode::unreadable, "no such file");
  expect_refused(folder.file(""), ErrorCode::unreadable, "directory");
  expect_refused(folder.file("empty.so"), ErrorCode::unreadable, "empty");
  expect_refused("/dev/null", ErrorCode::unreadable, "no regular file");
}

TEST(UpdateNotes, WhatIsNoSharedObjectIsNoUpdate) {
  const ScratchFolder folder;
  write(folder.file("text.so"), "hello, I am a text\n");
  write(folder.file("two.so"),
        "\x7f"
        "E");
  expect_refused(folder.file("text.so"), ErrorCode::not_an_update, "no ELF file");
  expect_refused(folder.file("two.so"), ErrorCode::not_an_update, "no ELF file");
  expect_refused(fixture("program_pie"), ErrorCode::not_an_update, "executable");
  expect_refused(fixture("program_fixed"), ErrorCode::not_an_update, "executable");
  expect_refused(fixture("update.o"), ErrorCode::not_an_update, "not linked");
}

TEST(UpdateNotes, AnotherMachinesFileIsNoUpdate) {
  const ScratchFolder folder;
  std::string content = content_of(fixture("update.so"));
  content[4] = 1;  // 32 bits
  write(folder.file("narrow.so"), content);
  content = content_of(fixture("update.so"));
  content[18] = static_cast<char>(183);  // AArch64
  write(folder.file("arm.so"), content);
  expect_refused(folder.file("narrow.so"), ErrorCode::not_an_update, "another machine");
  expect_refused(folder.file("arm.so"), ErrorCode::not_an_update, "another machine");
}

TEST(UpdateNotes, ASharedObjectWithoutAnEntryIsNoUpdate) {
  expect_refused(fixture("no_entry.so"), ErrorCode::not_an_update, "moult_update_entry");
}

TEST(UpdateNotes, AHalfWrittenFileIsRefusedWhereverItEnds) {
  const ScratchFolder folder;
  const std::string path = folder.file("half.so");
  const std::string content = content_of(fixture("update.so"));
  ASSERT_GT(content.size(), 10000U);
  for (std::size_t size = 4; size < content.size(); size += 97) {
    write(path, std::string_view(content).substr(0, size));
    expect_refused(path, ErrorCode::unreadable, "cut short");
  }
}

TEST(UpdateNotes, GarbageNeverDoesMoreThanThrow) {
  const ScratchFolder folder;
  const std::string path = folder.file("garbage.so");
  const std::string content = content_of(fixture("update.so"));
  std::mt19937 random(20240229);  // NOLINT: the same garbage each time
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string garbage = content;
    // The headers at both ends are where a wrong byte leads astray.
    for (int flips = 0; flips < 8; ++flips) {
      const std::size_t at = round % 2 == 0 ? random() % 4096 : garbage.size() - 1 - random() % 2048;
      garbage[at] = static_cast<char>(random());
    }
    write(path, garbage);
    try {
      read_update_notes(path);
    } catch (const Error& error) {
      ++refused;
      EXPECT_THAT(error.code(), testing::AnyOf(ErrorCode::unreadable, ErrorCode::not_an_update));
    }
    try {
      const Program program = Program::of_file(path);
      program.find("moult_update_entry");
      program.at(CodeAddress{0x1100});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unreadable);
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace moult::internal

#include "compiler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "trouble.hpp"

namespace moult::cli {
namespace {

using testing::HasSubstr;

TEST(Compiler, TellsSourcesFromSharedObjects) {
  EXPECT_TRUE(is_source("a/update.cpp"));
  EXPECT_TRUE(is_source("update.cc"));
  EXPECT_FALSE(is_source("update.so"));
  EXPECT_FALSE(is_source("cpp"));
}

TEST(Compiler, TheNoteHoldsTheRawBytesOfTheBuildId) {
  const std::string note = target_note("00ffa1");
  EXPECT_THAT(note, HasSubstr(".note.moult.target"));
  EXPECT_THAT(note, HasSubstr(".long 6, 3, 2"));
  EXPECT_THAT(note, HasSubstr(".byte 0x00, 0xff, 0xa1"));
}

TEST(Compiler, TheScratchFolderGoesAway) {
  std::filesystem::path path;
  {
    const ScratchFolder scratch;
    path = scratch.path();
    std::ofstream(path / "file") << "x";
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

protocol::UpdatesReply reply_with(std::vector<UpdateState> states, ErrorCode code) {
  protocol::UpdatesReply reply;
  reply.failure = protocol::Failure{code, ""};
  for (const UpdateState state : states) reply.updates.emplace_back().state = state;
  return reply;
}

TEST(ExitCode, IsThatOfTheWorstUpdate) {
  using enum UpdateState;
  EXPECT_EQ(exit_of(protocol::UpdatesReply{}), ExitCode::done);
  EXPECT_EQ(exit_of(reply_with({applied, failed, refused}, ErrorCode::inlined)), ExitCode::failed);
  EXPECT_EQ(exit_of(reply_with({applied, refused}, ErrorCode::inlined)), ExitCode::refused);
  EXPECT_EQ(exit_of(reply_with({applied, queued}, ErrorCode::timed_out)), ExitCode::postponed);
  EXPECT_EQ(exit_of(reply_with({}, ErrorCode::not_an_update)), ExitCode::refused);
}

}  // namespace
}  // namespace moult::cli

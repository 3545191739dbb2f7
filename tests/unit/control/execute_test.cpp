#include "control/execute.hpp"

#include <gtest/gtest.h>

#include "fake_backend.hpp"

namespace moult::internal {
namespace {

Failure failure_of(const Command& command) {
  FakeProgram program;
  const Result result = execute(command, program.backend(), {});
  const auto* const failure = std::get_if<Failure>(&result);
  if (failure != nullptr) return *failure;
  ADD_FAILURE() << "it succeeded";
  return {};
}

TEST(Execute, WhatABackendThrowsIsTheRepliesError) {
  EXPECT_EQ(failure_of(CheckRequest{"/a"}).code, ErrorCode::not_an_update);
  EXPECT_EQ(failure_of(ThreadsRequest{}).message, "no threads");
  EXPECT_EQ(failure_of(FunctionsRequest{}).code, ErrorCode::internal);
}

TEST(Execute, AMalformedRequestIsItsOwnReply) {
  EXPECT_EQ(failure_of(MalformedRequest{{ErrorCode::ambiguous, "hm"}}).message, "hm");
}

TEST(Execute, TheLogIsReadFromANumberOn) {
  FakeProgram program;
  for (int each = 0; each < 3; ++each) program.publish({});
  const Result result = execute(LogRequest{.after = 1}, program.backend(), {});
  ASSERT_EQ(std::get<EventsReply>(result).events.size(), 2u);
  EXPECT_EQ(std::get<EventsReply>(result).events[0].number, 2u);
}

TEST(Execute, ObjectsAreThoseOfTheBackend) {
  FakeProgram program;
  const Result result = execute(ObjectsRequest{}, program.backend(), {});
  EXPECT_EQ(std::get<ObjectsReply>(result).pools.at(0).held.at(0).live, 3u);
}

}  // namespace
}  // namespace moult::internal

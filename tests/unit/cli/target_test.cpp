#include "target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace moult::internal::cli {
namespace {

using testing::HasSubstr;

TEST(Target, IsServedByItsOwnProcess) {
  EXPECT_EQ(objection_to_peer(12, Peer{12, ::geteuid()}, std::nullopt), "");
  EXPECT_EQ(objection_to_peer(12, Peer{12, 0}, std::nullopt), "") << "root, or before it gave up root's rights";
  EXPECT_EQ(objection_to_peer(12, Peer{12, 4711}, uid_t{4711}), "") << "root asks another user's program";
}

TEST(Target, IsNotServedByAnotherProcessOrUser) {
  EXPECT_THAT(objection_to_peer(12, Peer{13, ::geteuid()}, std::nullopt),
              HasSubstr("is served by process 13; it is not told anything"));
  EXPECT_THAT(objection_to_peer(12, Peer{0, ::geteuid()}, std::nullopt), HasSubstr("is not visible here"));
  EXPECT_THAT(objection_to_peer(12, std::nullopt, std::nullopt), HasSubstr("is not visible here"));
  EXPECT_THAT(objection_to_peer(12, Peer{12, 4711}, uid_t{4712}), HasSubstr("is served by user 4711"));
}

TEST(Target, DoesNotControlTheTerminalByItsName) {
  EXPECT_EQ((Target{12, "/bin/a\033[2J", ""}).describe(), "a\\u001b[2J (pid 12)");
}

}  // namespace
}  // namespace moult::internal::cli

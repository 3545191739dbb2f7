// The prober must not take a wrong reply for a right one.
#include <gtest/gtest.h>

#include <string>

#include "../prober/expectation.hpp"
#include "../protocol.hpp"

namespace key_value {
namespace {

Reply reply_of(const std::string& bytes) { return parse_reply(bytes).value(); }

/// The prober's next request of that name. Those before it have no reply.
std::string next(Expectation& expectation, std::string_view name) {
  for (;;) {
    std::string bytes = expectation.next_request();
    const std::string_view word = parse_request(bytes).request.words[0];
    if (word == name) return bytes;
    expectation.lose();
  }
}

TEST(Prober, RepliesAreParsedInTheProtocolsForms) {
  EXPECT_TRUE(reply_of("+OK\r\n").is(Reply::Kind::status, "OK"));
  EXPECT_TRUE(reply_of("-ERR no\r\n").is(Reply::Kind::error, "ERR no"));
  EXPECT_TRUE(reply_of(":-12\r\n").is(-12));
  EXPECT_TRUE(reply_of("$4\r\na\r\nb\r\n").is(Reply::Kind::bulk, "a\r\nb"));
  EXPECT_EQ(reply_of("$-1\r\n").kind, Reply::Kind::null);
  EXPECT_EQ(reply_of("$4\r\na\r\nb\r\n+OK\r\n").length, 10U);
}

TEST(Prober, HalfAReplyIsNone) {
  const std::string whole = "$4\r\na\r\nb\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(parse_reply(whole.substr(0, size)), std::nullopt);
}

TEST(Prober, WhatIsNoReplyThrows) {
  EXPECT_THROW(parse_reply("hello\r\n"), std::runtime_error);
  EXPECT_THROW(parse_reply(":x\r\n"), std::runtime_error);
}

TEST(Prober, AValueMustBeTheOneThatWasWrittenLast) {
  Expectation expectation(0, 1, 1);
  ASSERT_EQ(next(expectation, "SET"), bytes_of({{"SET", probe_key(0), probe_value(0, 1)}}));
  EXPECT_EQ(expectation.check(reply_of("+OK\r\n")), "");
  while (parse_request(expectation.next_request()).request.words[0] != "GET") {
  }
  EXPECT_EQ(expectation.check({.kind = Reply::Kind::bulk, .text = probe_value(0, 1)}), "");
  EXPECT_NE(expectation.check({.kind = Reply::Kind::bulk, .text = probe_value(0, 0)}), "");
  EXPECT_NE(expectation.check({.kind = Reply::Kind::null}), "");
}

TEST(Prober, ACounterMustGoUpByOne) {
  Expectation expectation(0, 1, 1);
  while (parse_request(expectation.next_request()).request.words[0] != "INCR") {
  }
  EXPECT_EQ(expectation.check(reply_of(":1\r\n")), "");
  EXPECT_NE(expectation.check(reply_of(":1\r\n")), "");
}

TEST(Prober, AnEntryMustNotExpireUnlessItWasTold) {
  Expectation expectation(0, 1, 1);
  while (parse_request(expectation.next_request()).request.words[0] != "TTL") {
  }
  EXPECT_EQ(expectation.check(reply_of(":-1\r\n")), "");
  EXPECT_NE(expectation.check(reply_of(":77\r\n")), "");
}

TEST(Prober, AServerThatKnewACommandMustKnowItEverAfter) {
  const Reply unknown = reply_of("-ERR unknown command 'TTL'\r\n");
  Expectation expectation(0, 1, 1);
  while (parse_request(expectation.next_request()).request.words[0] != "TTL") {
  }
  EXPECT_EQ(expectation.check(unknown), "");
  EXPECT_EQ(expectation.check(reply_of(":-1\r\n")), "");
  EXPECT_NE(expectation.check(unknown), "");
  EXPECT_EQ(expectation.replies_of_version(1), 2U);
  EXPECT_EQ(expectation.replies_of_version(2), 1U);
}

TEST(Prober, WhatAnUnansweredRequestDidIsNotJudged) {
  Expectation expectation(0, 1, 1);
  next(expectation, "DEL");
  expectation.lose();
  while (parse_request(expectation.next_request()).request.words[0] != "GET") {
  }
  EXPECT_EQ(expectation.check({.kind = Reply::Kind::null}), "");
}

TEST(Prober, ConnectionsHaveKeysOfTheirOwn) {
  Expectation expectation(1, 3, 8);  // 1, 4 and 7
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = expectation.next_request();
    const std::string_view key = parse_request(bytes).request.words[1];
    const std::string number(key.substr(key.find(':') + 1));
    EXPECT_TRUE(number == "1" || number == "4" || number == "7") << number;
    expectation.lose();
  }
}

}  // namespace
}  // namespace key_value

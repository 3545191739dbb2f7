#include "../protocol.hpp"

#include <gtest/gtest.h>

#include <string>

namespace key_value {
namespace {

using State = ParsedRequest::State;
using Strings = std::vector<std::string_view>;

TEST(Protocol, ARequestIsAnArrayOfBulkStrings) {
  const std::string input = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n";
  const ParsedRequest parsed = parse_request(input);
  EXPECT_EQ(parsed.state, State::complete);
  EXPECT_EQ(parsed.request.words, (Strings{"SET", "k", "a\r\nb"}));
  EXPECT_EQ(parsed.length, input.size());
}

TEST(Protocol, ARequestIsWhatAClientMakesOfIt) {
  const std::string bytes = bytes_of({{"SET", "key", ""}});
  const ParsedRequest parsed = parse_request(bytes);
  EXPECT_EQ(parsed.request.words, (Strings{"SET", "key", ""}));
  EXPECT_EQ(parsed.length, bytes.size());
}

TEST(Protocol, ARequestMayBeALineOfWords) {
  const ParsedRequest parsed = parse_request(" GET\t key \nPING\n");
  EXPECT_EQ(parsed.request.words, (Strings{"GET", "key"}));
  EXPECT_EQ(parsed.length, std::string_view(" GET\t key \n").size());
}

TEST(Protocol, AnEmptyLineIsARequestForNothing) {
  const ParsedRequest parsed = parse_request("\r\nPING\r\n");
  EXPECT_EQ(parsed.state, State::complete);
  EXPECT_TRUE(parsed.request.words.empty());
  EXPECT_EQ(parsed.length, 2U);
}

TEST(Protocol, EveryBeginningOfARequestIsIncomplete) {
  const std::string whole = bytes_of({{"INCR", "counter"}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(parse_request(whole.substr(0, size)).state, State::incomplete) << size;
}

TEST(Protocol, OnlyTheFirstOfSeveralRequestsIsParsed) {
  const std::string first = bytes_of({{"PING"}});
  EXPECT_EQ(parse_request(first + bytes_of({{"INFO"}})).length, first.size());
}

TEST(Protocol, WhatCannotBecomeARequestIsMalformed) {
  for (const char* input : {"*x\r\n", "*2000000\r\n", "*1\r\n:1\r\n", "*1\r\n$-1\r\n", "*1\r\n$999999999999\r\n",
                            "*1\r\n$1\r\nabc\r\n", "*\r\n"})
    EXPECT_EQ(parse_request(input).state, State::malformed) << input;
  EXPECT_EQ(parse_request(std::string(100'000, 'a')).state, State::malformed);
}

TEST(Protocol, AnArrayOfNothingAsksForNothing) {
  const ParsedRequest parsed = parse_request("*0\r\n");
  EXPECT_EQ(parsed.state, State::complete);
  EXPECT_TRUE(parsed.request.words.empty());
}

TEST(Protocol, AnIntegerHasNothingBesideItsDigits) {
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", " 1", "1 ", "+1", "1.0", "9223372036854775808"})
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
}

TEST(Protocol, RepliesAreAddedInTheProtocolsForms) {
  Replies replies;
  replies.add_status("OK");
  replies.add_error("ERR no");
  replies.add_integer(-1);
  replies.add_bulk("a\r\nb");
  replies.add_null();
  replies.add_array({"a", ""});
  EXPECT_EQ(replies.bytes(), "+OK\r\n-ERR no\r\n:-1\r\n$4\r\na\r\nb\r\n$-1\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace key_value

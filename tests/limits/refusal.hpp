// The expected form of a refused update.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "apply_update.hpp"
#include "moult/error.hpp"
#include "moult/updates.hpp"

namespace limits {

using moult::test::apply;

inline void expect_refused(const moult::UpdateReport& report, moult::ErrorCode code,
                           const std::vector<std::string>& words) {
  EXPECT_EQ(report.state, moult::UpdateState::refused) << report.reason;
  EXPECT_EQ(report.code, code) << report.reason;
  for (const std::string& word : words) EXPECT_THAT(report.reason, testing::HasSubstr(word));
}

template <class Call>
void expect_error(moult::ErrorCode code, const std::vector<std::string>& words, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "was not refused";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& word : words) EXPECT_THAT(error.what(), testing::HasSubstr(word));
  }
}

}  // namespace limits

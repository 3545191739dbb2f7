// What a refused update must look like.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "moult/error.hpp"
#include "moult/manager.hpp"
#include "moult/updates.hpp"

namespace limits {

/// Applies the update with an inline manager and reports.
inline moult::UpdateReport apply(std::unique_ptr<moult::Update> update) {
  static moult::Manager manager("limits");
  moult::UpdateHandle handle = manager.add_update(std::move(update));
  manager.apply_next_update();
  return handle.report();
}

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

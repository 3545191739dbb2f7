// Refusals for lack of file descriptors.
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/fd.hpp"
#include "refusal.hpp"

namespace few_descriptors {

using limits::apply;
using moult::SafeRedefineUpdate;
using moult::UpdateReport;
using moult::UpdateState;
using moult::internal::Fd;

MOULT_UPDATABLE int number(int x) { return x + 1; }
MOULT_UPDATABLE int number_two(int x) { return x + 2; }

UpdateReport redefine() { return apply(std::make_unique<SafeRedefineUpdate>("number", number, number_two)); }

/// Takes all free descriptors except for some.
class Descriptors final {
 public:
  explicit Descriptors(std::size_t left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (;;) {
      Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!file) break;
      taken_.push_back(std::move(file));
    }
    taken_.resize(taken_.size() - std::min(left, taken_.size()));
  }
  ~Descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
  std::vector<Fd> taken_;
};

TEST(FewDescriptors, WithoutAFreeDescriptorAnUpdateIsRefused) {
  UpdateReport report;
  {
    Descriptors none(0);
    report = redefine();
  }
  EXPECT_EQ(report.state, UpdateState::refused) << report.reason;
  EXPECT_THAT(report.reason, testing::HasSubstr("Too many open files"));
  EXPECT_EQ(number(0), 1);
  report = redefine();
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(number(0), 2);
  moult::roll_back(report.id);
}

TEST(FewDescriptors, WithFewFreeDescriptorsAnUpdateIsAppliedOrNothingIsChanged) {
  UpdateReport report;
  bool was_applied = false;
  for (std::size_t left = 0; left < 16 && !was_applied; ++left) {
    {
      Descriptors few(left);
      report = redefine();
    }
    was_applied = report.state == UpdateState::applied;
    EXPECT_EQ(report.reason.empty(), was_applied) << report.reason;
    EXPECT_EQ(number(0), was_applied ? 2 : 1) << left << " descriptors left: " << report.reason;
  }
  ASSERT_TRUE(was_applied);
  moult::roll_back(report.id);
}

}  // namespace few_descriptors

// Programs that have given up system calls which moult needs. Each message names the call, and nothing is changed.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <thread>

#include "refusal.hpp"

namespace seccomp {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using limits::apply;
using moult::SafeRedefineUpdate;
using moult::UpdateReport;
using moult::UpdateState;

MOULT_UPDATABLE int number(int x) { return x + 1; }
int number_v2(int x) { return x + 2; }

/// For all threads and for good: `call` fails with EPERM.
void forbid(unsigned call) {
  sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(instructions)), instructions};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program), 0);
}

void expect_refused_without(unsigned call, const std::string& name) {
  std::jthread other([](const std::stop_token& token) {
    while (!token.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  forbid(call);
  const UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("number", number, number_v2));
  EXPECT_NE(report.state, UpdateState::applied);
  EXPECT_THAT(report.reason, testing::HasSubstr("seccomp"));
  EXPECT_THAT(report.reason, testing::HasSubstr("must permit " + name));
  EXPECT_EQ(number(1), 2);
}

TEST(Seccomp, WithoutSignalsToThreads) { expect_refused_without(SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo"); }
TEST(Seccomp, WithoutSignalHandlers) { expect_refused_without(SYS_rt_sigaction, "rt_sigaction"); }
TEST(Seccomp, WithoutTheListOfThreads) { expect_refused_without(SYS_getdents64, "getdents64"); }

}  // namespace seccomp

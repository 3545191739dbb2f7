// A thread that stands in a function of a fixture.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>

#include "fixtures/frames.hpp"
#include "moult/relinking.hpp"
#include "platform/tasks.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The library, loaded once.
inline const FrameEntries& frames_of(const std::string& build) {
  void* library = ::dlopen((std::string(FIXTURES) + "frames_" + build + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  void* entries = library == nullptr ? nullptr : ::dlsym(library, "frames_entries");
  if (entries == nullptr) throw std::runtime_error(::dlerror());
  return *static_cast<const FrameEntries*>(entries);
}

/// Stands in the call back of `call` while it lives.
class Standing final {
 public:
  explicit Standing(std::function<void(const frames::Pause&)> call)
      : thread_([this, call = std::move(call)] {
          const frames::Pause pause{[](void* self) { static_cast<Standing*>(self)->stand(); }, this};
          call(pause);
        }) {
    is_there_.acquire();
  }
  ~Standing() {
    may_go_.release();
    thread_.join();
  }
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;

  ThreadId thread() const noexcept { return thread_id_; }

 private:
  void stand() {
    thread_id_ = this_thread_id();
    is_there_.release();
    may_go_.acquire();
  }

  ThreadId thread_id_{};
  std::binary_semaphore is_there_{0};
  std::binary_semaphore may_go_{0};
  std::thread thread_;
};

/// A test for each compiler and level of optimisation.
class FramesOfBuild : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(std::string(FIXTURES) + "frames_" + GetParam() + ".so"))
      GTEST_SKIP() << GetParam() << " was not built: its compiler is not installed";
    entries = &frames_of(GetParam());
  }
  bool is_optimised() const { return GetParam().ends_with("O2"); }

  const FrameEntries* entries = nullptr;
};

inline std::string name_of_build(const testing::TestParamInfo<std::string>& info) { return info.param; }

#define MOULT_FOR_EACH_BUILD(suite) \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::Values("gcc_O0", "gcc_O2", "clang_O0", "clang_O2"), name_of_build)

}  // namespace moult::internal

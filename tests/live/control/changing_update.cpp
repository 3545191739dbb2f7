#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "moult/moult.hpp"
#include "target.hpp"

int answer_v2() { return 2; }

// An update that has changed the program and is not over until the test makes a file.
class Changing final : public moult::SafeRedefineUpdate {
 public:
  Changing() : SafeRedefineUpdate("changing", &answer, &answer_v2) {}
  bool wait_over() override {
    const std::string go_on = std::string(std::getenv("XDG_RUNTIME_DIR")) + "/go on";
    while (!std::filesystem::exists(go_on)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return true;
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<Changing>()); }

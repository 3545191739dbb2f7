// A thread that begins anew, as the next generation.
#include "control_target.hpp"

MOULT_UPDATE {
  auto update =
      std::make_unique<moult::ThreadRebootUpdate>("restart", moult::get_thread_by_name("server"), serve, serving + 1);
  update->set_patience(patient());
  moult::threaded_manager("churn").add_update(std::move(update));
}

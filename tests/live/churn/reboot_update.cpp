// A function that is left in the middle of its list, which another one continues.
#include "control_target.hpp"

struct List {
  std::vector<int> list;
  int i;
};

static std::vector<int> fill_on(List state) {
  ++continued;
  for (; state.i < list_size; ++state.i) state.list.push_back(state.i);
  return std::move(state.list);
}

static List capture(const moult::FrameView& frame) {
  return {frame.local<std::vector<int>>("list"), frame.local<int>("i")};
}

MOULT_UPDATE {
  auto update =
      std::make_unique<moult::RebootFunctionUpdate>("reboot", filler, moult::FunctionReboot(fill, fill_on, capture));
  update->set_patience(patient());
  moult::threaded_manager("churn").add_update(std::move(update));
}

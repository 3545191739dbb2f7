// A function whose variable `forgotten` has no place while it calls pass_point: compiled with optimisation.
#pragma once

namespace moult::limits_reboot {

void pass_point();
bool is_over();
int forgetting(int turns);

}  // namespace moult::limits_reboot

#pragma once

[[gnu::visibility("hidden")]] extern int hidden_count;
[[gnu::visibility("hidden")]] int twice(int number);

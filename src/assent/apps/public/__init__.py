"""What everybody may see of a studio: releases, the log, and the answer to what a file is."""

"""Releasing and grading the assignments; of the library, it imports `sbd_utils.files` alone.

| room | its one subject |
|---|---|
| `assignments` | the sources, and what each cell of one is for |
| `release` | what students get |
| `downloads` | how Moodle and Canvas name what they download |
| `collected` | what was handed in: which files, whose, for which assignment |
| `submissions` | a notebook that was handed in: read, and put into the course's |
| `processes` | processes with limits, of which none is left behind |
| `watch` | how long a submission may run |
| `marks` | a mark and its reason |
| `wire` | values as bytes between two processes |
| `peer` | calls from one process into another |
| `kernel` | the process of the student's code |
| `sandbox` | where that process runs |
| `judge` | the namespace in which tests run |
| `worker` | the process that grades one submission |
| `record` | what was graded, kept between runs |
| `tables` | the marks of a class as files |
| `hand_marks` | marks by hand: a table for a teacher to fill in |
| `exports` | totals as Moodle and Canvas import them |
| `pages` | the feedback page of a submission |
| `totals` | tables and pages of all that was graded, with the marks by hand |
| `grade` | a class from submissions to tables and pages |

A room imports only from rooms above its own line.

A test is plain Python and runs in the judge's process, with NumPy, torch and checks of its own. A
student's function stands in it as a proxy: to call it sends the arguments to the kernel, as raw
bytes with a header, and brings back what it gave, what it changed in place, and, when somebody asks
for gradients, those. Functions and objects stay on their side; to call one sends a message back. So
nothing that a student's code does to its own process, to the checks that it sees, or to the half
that serves there is done to the one that judges, and no hidden test is where it can look.

What remains possible: a function sees the arguments of the hidden cases while it is tested, and can
say them in an exception, on the student's own page. The library's source is the student's to read:
that its functions are taken away stops a call, not a copy. Without a sandbox, code with your rights
can search your disk for the tests, write to it, and use the network: the run says so, once.
"""
